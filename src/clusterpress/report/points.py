"""The points of the page: what their seeds say together, and where each run comes from."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from clusterpress.results.names import Names, named_runs, unnamed_points
from clusterpress.results.statistics import Summary, change_to_baseline, summarize
from clusterpress.results.tidy import ORIGIN

Commands = Mapping[tuple[str, str], Sequence[str]]
RATIO = "ratio_"
UNNAMED = "no suite"


def points(records: pd.DataFrame, names: Names, commands: Commands) -> list[dict[str, Any]]:
    """Give the points as JSON-safe values, one for every suite that has it.

    Args:
        records: The tidy table.
        names: Point id -> ``(suite, name)`` pairs.
        commands: ``(suite, name)`` -> Hydra overrides that repeat it, without the seed.
    """
    named = named_runs(records, names)
    loose = records[records["point"].isin(unnamed_points(records, names))].copy()
    loose = loose.assign(suite=UNNAMED, name=loose["model"] + "-" + loose["method"])
    frame = pd.concat([named, loose], ignore_index=True) if len(loose) else named
    groups = frame.groupby(["suite", "name", "data", "point"], sort=False)
    return [_point(group, commands) for _, group in groups]


def _point(runs: pd.DataFrame, commands: Commands) -> dict[str, Any]:
    first = runs.iloc[0]
    ratios = [str(column) for column in runs if str(column).startswith(RATIO)]
    return {
        **{name: str(first[name]) for name in ("suite", "name", "data", "model", "method")},
        "point": str(first["point"]),
        "profile": str(first["profile"]),
        "protocol": str(first["protocol"]),
        "selected": bool(runs["selected"].all()),
        "baseline": spread(summarize(runs["baseline_top1_error"])),
        "error": spread(summarize(runs["top1_error"])),
        "change": spread(change_to_baseline(runs)),
        "ratios": {
            name.removeprefix(RATIO): spread(summarize(runs[name]))
            for name in ratios
            if runs[name].notna().all()
        },
        "bytes": float(runs["file_bytes"].mean()),
        "parameters": float((runs["parameters"] / runs["baseline_parameters"]).mean()),
        "macs": float((runs["macs"] / runs["baseline_macs"]).mean()),
        "stages": list(_stages(runs)),
        "runs": [_run(row) for row in runs.to_dict("records")],
        "command": _command(commands.get((str(first["suite"]), str(first["name"])))),
    }


def spread(summary: Summary) -> dict[str, float | int | None]:
    """Give mean, half of the 95 % interval (None for one seed) and n."""
    half = summary.half_width if summary.has_interval else math.nan
    return {"mean": _json(summary.mean), "half": _json(half), "n": summary.n}


def _stages(runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for stage in str(runs["stages"].iloc[0]).split(";"):
        column = f"error_after_{stage}"
        if column in runs:
            yield {"name": stage, "error": spread(summarize(runs[column]))}


def _run(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "seed": int(row["seed"]),
        "error": _json(row["top1_error"]),
        "seconds": _json(row["stage_seconds"]),
        **{name: str(row[name]) for name in ORIGIN},
    }


def _command(overrides: Sequence[str] | None) -> str:
    if overrides is None:
        return ""
    words = [f"'{word}'" if set(word) & set(" [{(*") else word for word in overrides]
    return " ".join(["clusterpress run -m", *words, "seed=0,1,2"])


def _json(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
