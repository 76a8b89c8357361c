"""The tidy table of records: its columns, their types, and its CSV."""

import csv
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
    "evaluation_version",
)
ADDED = {"artifact_version": 1, "evaluation_version": 1}
"""Columns that older records and tables lack, and what they then are."""

IMAGES = ("both_right", "only_baseline", "only_file", "both_wrong")
"""Test images by which of baseline and file has them right; columns ``images_<name>``."""

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
ORDER = ["paper", "data", "model", "method", "point", "seed"]
DIGITS = 10


def tidy(rows: Iterable[Row]) -> pd.DataFrame:
    """Make the tidy frame of flat rows; see ``finished``."""
    return finished(typed(pd.DataFrame(list(rows))))


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns their fixed order and types; missing ones are made.

    Floats are rounded to ten significant digits, which is what the CSV holds, so that tables
    from the store and from the CSV are the same to the last byte.

    Raises:
        ValueError: A column holds what is not of its type.
    """
    columns = _columns(frame)
    frame = frame.assign(**{k: v for k, v in ADDED.items() if k not in frame})
    values = {name: _typed(frame[name], name) for name in columns if name in frame}
    missing = [name for name in columns if name not in values]
    values |= {name: _typed(pd.Series(None, frame.index, dtype=object), name) for name in missing}
    return pd.DataFrame({name: values[name] for name in columns}, index=frame.index)


def finished(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort a typed frame, and let every run stand in it once.

    Of a point at one seed that was written in several file formats, or evaluated in several
    ways, the newest counts.
    """
    if frame["id"].duplicated().any() or frame.duplicated(["point", "seed"]).any():
        newest = frame.sort_index().sort_values([*ADDED], ascending=False, kind="stable")
        frame = newest.drop_duplicates("id").drop_duplicates(["point", "seed"])
    return frame.sort_values(ORDER, ignore_index=True)


def together(records: pd.DataFrame, older: pd.DataFrame) -> pd.DataFrame:
    """Put two tidy frames together; of a point at one seed see ``finished``, then ``records``."""
    return finished(typed(pd.concat([records, older], ignore_index=True)))


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of typed rows, put together of several frames, their fixed order."""
    return frame[_columns(frame)]


def write_csv(records: pd.DataFrame, path: Path) -> None:
    """Write the tidy frame; the same records give the same bytes.

    Raises:
        StoreError: The folder is missing or cannot be written.
    """
    frame = finished(typed(records))
    text = frame.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    write_atomic(path, text.encode())


def read_csv(path: Path) -> pd.DataFrame:
    """Read the tidy frame that ``write_csv`` wrote; also that of an older version.

    Raises:
        DataError: The file is missing, unreadable, lacks a column or the error of a run.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        missing = sorted({*CORE, *PROVENANCE} - {*ADDED} - set(frame.columns))
        if missing:
            raise DataError(f"{path} lacks the columns {', '.join(missing)}")
        records = finished(typed(frame))
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise DataError(f"{path} cannot be read as the table of records: {error}") from error
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    for name in ("baseline_top1_error", "top1_error"):
        bad = records["id"][~np.isfinite(records[name])]
        if len(bad):
            raise DataError(f"{path} is damaged: run {bad.iloc[0]} has no finite {name}")
    return records


def runs_of(path: Path) -> dict[str, tuple[str, str]]:
    """Give the runs in a table of records by id, whatever its other columns are.

    Returns:
        Run id -> its point and its seed, as text.

    Raises:
        DataError: The file is unreadable or lacks one of these columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return {row["id"]: (row["point"], row["seed"]) for row in csv.DictReader(lines)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DataError(f"the run ids of {path} cannot be read: {error}") from error


def _columns(frame: pd.DataFrame) -> list[str]:
    extra = sorted({str(name) for name in frame.columns} - {*CORE, *PROVENANCE})
    ratios = [name for name in extra if name.startswith("ratio_")]
    return [*CORE, *ratios, *(name for name in extra if name not in ratios), *PROVENANCE]


def _typed(column: pd.Series, name: str) -> pd.Series:
    if name in TEXT:
        return column.astype(object).map(str, na_action="ignore").fillna("").astype(object)
    if name == "selected":
        return (column.astype(str).str.lower() == "true").astype(bool)
    numbers = pd.to_numeric(column)
    if name in (*SEEDS, *COUNTS):
        return (numbers.fillna(ADDED[name]) if name in ADDED else numbers).astype("int64")
    return pd.Series(_rounded(numbers.to_numpy(np.float64)), column.index)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Round to ten significant digits, each number once: most of a column are the same few."""
    known, places = np.unique(values, return_inverse=True)
    return np.array([float(f"{value:.{DIGITS}g}") for value in known], np.float64)[places]
