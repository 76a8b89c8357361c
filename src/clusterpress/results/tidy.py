"""The tidy table of records: its columns, their types, and its CSV."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clusterpress.durable import write_atomic
from clusterpress.errors import DataError

Row = dict[str, Any]

IDENTITY = (
    "id",
    "paper",
    "data",
    "model",
    "method",
    "point",
    "seed",
    "baseline_seed",
    "profile",
    "protocol",
    "selected",
)
COUNTS = (
    "baseline_parameters",
    "parameters",
    "baseline_macs",
    "macs",
    "reference_bytes",
    "file_bytes",
    "header_bytes",
    "bias_bytes",
    "weight_stream_bytes",
    "artifact_version",
)
MEASURED = (
    "latency_ms",
    "peak_memory_bytes",
    "seconds",
    "stage_seconds",
    "baseline_seconds",
    "threads",
)
ORIGIN = (
    "git_commit",
    "git_dirty",
    "torch",
    "device",
    "precision",
    "processor",
    "data_sha256",
    "finished",
)
PROVENANCE = (*MEASURED, *ORIGIN)
"""Timing and provenance: the only columns that may differ between two honest runs of one id."""

CORE = (
    *IDENTITY,
    "baseline_top1_error",
    "top1_error",
    "baseline_validation_error",
    "validation_error",
    *COUNTS,
    "han2016_huffman_bytes",
    "stages",
)
SEEDS = ("seed", "baseline_seed")
TEXT = (*(name for name in IDENTITY if name not in (*SEEDS, "selected")), "stages", *ORIGIN)
ORDER = ["paper", "data", "model", "method", "point", "seed", "id"]
DIGITS = 10


def tidy(rows: Iterable[Row]) -> pd.DataFrame:
    """Make the tidy frame of flat rows: columns in their fixed order, rows sorted, ids unique.

    Of a point at one seed that was written in several file formats, the newest counts.

    Floats are rounded to ten significant digits, which is what the CSV holds, so that tables
    from the store and from the CSV are the same to the last byte.
    """
    frame = pd.DataFrame(list(rows))
    frame = frame.reindex(columns=_columns(frame))
    for name in frame.columns:
        frame[name] = _typed(frame[name], str(name))
    newest = frame.sort_values("artifact_version", ascending=False, kind="stable")
    kept = newest.drop_duplicates("id").drop_duplicates(["point", "seed"])
    return kept.sort_values(ORDER, ignore_index=True)


def write_csv(records: pd.DataFrame, path: Path) -> None:
    """Write the tidy frame; the same records give the same bytes.

    Raises:
        StoreError: The folder is missing or cannot be written.
    """
    frame = tidy({str(k): v for k, v in row.items()} for row in records.to_dict("records"))
    text = frame.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    write_atomic(path, text.encode())


def read_csv(path: Path) -> pd.DataFrame:
    """Read the tidy frame that ``write_csv`` wrote.

    Raises:
        DataError: The file is missing, unreadable, lacks a column or the error of a run.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = sorted({*CORE, *PROVENANCE} - set(reader.fieldnames or ()))
            if missing:
                raise DataError(f"{path} lacks the columns {', '.join(missing)}")
            records = tidy({name: value or None for name, value in row.items()} for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as the table of records: {error}") from error
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    for name in ("baseline_top1_error", "top1_error"):
        bad = records["id"][~np.isfinite(records[name])]
        if len(bad):
            raise DataError(f"{path} is damaged: run {bad.iloc[0]} has no finite {name}")
    return records


def run_ids(path: Path) -> set[str]:
    """Give the ids of the runs in a table of records, whatever its other columns are.

    Raises:
        DataError: The file is unreadable or has no column ``id``.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return {row["id"] for row in csv.DictReader(lines)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DataError(f"the run ids of {path} cannot be read: {error}") from error


def _columns(frame: pd.DataFrame) -> list[str]:
    extra = sorted({str(name) for name in frame.columns} - {*CORE, *PROVENANCE})
    ratios = [name for name in extra if name.startswith("ratio_")]
    return [*CORE, *ratios, *(name for name in extra if name not in ratios), *PROVENANCE]


def _typed(column: pd.Series, name: str) -> pd.Series:
    if name in TEXT:
        return column.map(_text).astype(object)
    if name == "selected":
        return column.map(lambda value: str(value).lower() == "true").astype(bool)
    if name in (*SEEDS, *COUNTS):
        return pd.to_numeric(column).astype("int64")
    numbers = pd.to_numeric(column).astype("float64")
    return numbers.map(lambda value: float(f"{value:.{DIGITS}g}")).astype("float64")


def _text(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value)
