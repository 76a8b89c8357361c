"""One record as one flat row of the tidy table."""

import math
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from clusterpress.results.tidy import (
    ADDED,
    COUNTS,
    IDENTITY,
    IMAGES,
    MEASURED,
    ORIGIN,
    SEEDS,
    Row,
)

FORMAT = 1
OPTIONAL = (
    "baseline_validation_error",
    "validation_error",
    "baseline_top5_error",
    "top5_error",
    "han2016_huffman_bytes",
    "conv_weight_bytes",
    "shared_macs",
)


def flatten(record: Mapping[str, Any]) -> Row:
    """Flatten one record to a row of the tidy table.

    Raises:
        KeyError: A required entry is missing.
        ValueError: An entry has the wrong type or is not finite, or the format is unknown.
            Validation errors may be null: they are where the validation split is empty.
    """
    if not isinstance(record, Mapping):
        raise ValueError("it is not a JSON object")
    if record["format"] != FORMAT:
        raise ValueError(f"its format is {record['format']!r}; this version reads {FORMAT}")
    # Older records lack some entries: their baseline's seed was the run's, their files the first's.
    record = {"baseline_seed": record["seed"], **ADDED, **record}
    row: Row = {name: record[name] for name in IDENTITY}
    row |= {name: _count(record, name) for name in (*SEEDS, *COUNTS)}
    row |= {name: _number(record, name) for name in ("baseline_top1_error", "top1_error")}
    row |= {name: _number(record, name) for name in OPTIONAL if record.get(name) is not None}
    row |= {f"ratio_{name}": _ratio(record["ratios"], name) for name in record["ratios"]}
    row |= _images(record.get("test_images"))
    return row | _stages(record["stages"]) | _provenance(record)


def _images(counts: Mapping[str, Any] | None) -> Row:
    """Give how many test images each of baseline and file has right; older records lack it."""
    if counts is None:
        return {}
    row: Row = {f"images_{name}": _count(counts, name) for name in IMAGES}
    if min(row.values()) < 0 or not sum(row.values()):
        raise ValueError(f"its test_images are {dict(counts)!r}, not counts of images")
    return row


def _stages(stages: list[Mapping[str, Any]]) -> Row:
    row: Row = {}
    names: list[str] = []
    for stage in stages:
        name = _unique(str(stage["name"]), names)
        names.append(name)
        row[f"error_after_{name}"] = _number(stage, "top1_error")
        if stage.get("validation_error") is not None:
            row[f"validation_error_after_{name}"] = _number(stage, "validation_error")
        row |= {f"fact_{name}.{fact}": value for fact, value in _facts(stage.get("facts") or {})}
    return row | {"stages": ";".join(names)}


def _unique(name: str, taken: list[str]) -> str:
    """Number a name that is taken: a step of one's own may be called ``baseline`` too."""
    if name not in taken:
        return name
    return next(new for new in (f"{name}_{again}" for again in count(2)) if new not in taken)


def _facts(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield every number among a stage's facts under its dotted name; text stays behind."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", number) for inner, number in _facts(value))
        elif isinstance(value, int | float):
            yield name, float(value)


def _provenance(record: Mapping[str, Any]) -> Row:
    provenance = record["provenance"]
    row: Row = {name: provenance.get(name) for name in ORIGIN}
    if any(code["git_dirty"] for code in _codes(provenance)):
        row["git_dirty"] = True  # What a run took over from another is as much its own.
    row["torch"] = provenance.get("packages", {}).get("torch")
    entries = {**provenance, **record, **_baseline_seconds(record["stages"])}
    return row | {n: _number(entries, n) for n in MEASURED if entries.get(n) is not None}


def _codes(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield all code that a run's stages were done with, resumed ones by the one before too."""
    for code in provenance.get("stage_code", {}).values():
        yield code
        yield from code.get("before", [])


def _baseline_seconds(stages: list[Mapping[str, Any]]) -> Row:
    seconds = stages[0].get("seconds") if stages else None
    return {} if seconds is None else {"baseline_seconds": seconds}


def _number(entries: Mapping[str, Any], name: str) -> float:
    value = entries[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"its {name} is {value!r}, not a number")
    if not math.isfinite(value):
        raise ValueError(f"its {name} is {value!r}, not a finite number")
    return float(value)


def _ratio(ratios: Mapping[str, Any], name: str) -> float | None:
    return None if ratios[name] is None else _number(ratios, name)


def _count(entries: Mapping[str, Any], name: str) -> int:
    value = entries[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"its {name} is {value!r}, not a whole number")
    return value
