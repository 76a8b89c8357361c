"""Curves over a knob: the keep ratio of merging, the bits of clustered layers."""

import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from clusterpress.results.controls import control_runs
from clusterpress.results.names import bits_of, keep_of, removed_of
from clusterpress.results.statistics import (
    change_to_baseline,
    change_to_point,
    mean_of,
    summarize,
)

Reader = Callable[[str], tuple[float, str] | None]
TRAINING = ("finetune", "retrain", "recover", "train")
"""The names of the steps that only train."""

NEW_WEIGHTS = "reinitialize"
_KEEP_FACT = re.compile(r"fact_[^.]+\.keep")
_SQUARED_ERROR = re.compile(r"fact_.+\.relative_squared_error\..+")


def merging(runs: pd.DataFrame) -> pd.DataFrame:
    """Collect the curve of merging from the points named ``<model>-keep<ratio>[-<variant>]``.

    A point named ``<model>-removed<percent>[-<variant>]`` has the ratio that its step solved for;
    where layers have widths of their own, the share of all their neurons that is left.

    Args:
        runs: Named runs of one data set.

    Returns:
        One row a point: ``model, profile, selected, keep, method, point, n, parameters``; and
        ``before`` and ``after`` fine-tuning (top-1 error, %), ``change`` to the own baseline and
        ``to_none``, the change to the control ``control`` (points, paired by seed), each a
        ``Summary``.
        ``before`` is nothing for new weights, ``after`` where the method ends without training.
    """
    points = _points(runs, keep_of, "keep") + _points(runs, removed_of, "removed")
    for row in points:
        group = row.pop("runs")
        row.setdefault("keep", _solved_keep(group))
        row["parameters"] = summarize(group["parameters"]).mean
        control = control_runs(runs, group)
        row["to_none"] = change_to_point(group, control)
        row["control"] = "" if control.empty else control["name"].iloc[0]
        row["control_point"] = "" if control.empty else control["point"].iloc[0]
    return _sorted(points, ["model", "keep", "method"], [True, False, True])


def bits(runs: pd.DataFrame) -> pd.DataFrame:
    """Collect bits x initialisation from the points named ``<model>-<b>bit[-<init>]``.

    Args:
        runs: Named runs of one data set.

    Returns:
        One row a point: ``model, bits, method`` (the initialisation, ``optimal`` where the name
        has none)``, point, n, before, after`` as in ``merging``; ``change_before`` and
        ``change_after``, their changes to the own baseline; ``squared_error``, the relative squared
        error of the clustering (mean over the layers); all of them a ``Summary``; and the mean
        ``fc_only``, ``han2016`` and ``file`` ratios.
    """
    points = _points(runs, bits_of, "bits")
    for row in points:
        group = row.pop("runs")
        baseline = group["baseline_top1_error"]
        row["change_before"] = summarize(_before(group) - baseline)
        row["change_after"] = summarize(_after(group) - baseline)
        row["squared_error"] = summarize(_squared_error(group))
        for name in ("fc_only", "han2016", "file"):
            row[name] = mean_of(group, f"ratio_{name}")
    return _sorted(points, ["model", "bits", "method"], [True, True, True])


def _points(runs: pd.DataFrame, read: Reader, knob: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for (name, point), group in runs.groupby(["name", "point"], sort=False):
        value = read(str(name))
        if value is None or point in found:
            continue
        first = group.drop_duplicates("seed")
        found[str(point)] = {
            "model": first["model"].iloc[0],
            "profile": first["profile"].iloc[0],
            "selected": bool(first["selected"].all()),
            knob: value[0],
            "method": _label(first["method"].iloc[0], value[1], knob),
            "point": point,
            "n": len(first),
            "before": summarize(_before(first)),
            "after": summarize(_after(first)),
            "change": change_to_baseline(first),
            "runs": first,
        }
    return list(found.values())


def _label(method: str, variant: str, knob: str) -> str:
    if knob == "bits":
        return variant or "optimal"
    own = "-".join(part for part in variant.split("-") if part not in method)
    return f"{method} ({own})" if own else method


def _before(runs: pd.DataFrame) -> list[float]:
    """Give each run's error after its last stage that does not only train; NaN for new weights."""
    values = []
    for _, row in runs.iterrows():
        others = [name for name in str(row["stages"]).split(";") if name not in TRAINING]
        last = others[-1] if others else NEW_WEIGHTS
        values.append(math.nan if last == NEW_WEIGHTS else float(row[f"error_after_{last}"]))
    return values


def _after(runs: pd.DataFrame) -> pd.Series:
    """Give the errors of the runs whose last stage trains."""
    trained = [str(stages).split(";")[-1] in TRAINING for stages in runs["stages"]]
    return runs["top1_error"][trained]


def _solved_keep(runs: pd.DataFrame) -> float:
    """Give the share of neurons that a step solved for, or that was kept of all layers'."""
    columns = [name for name in runs if _KEEP_FACT.fullmatch(str(name))]
    solved = float(runs[columns].mean(axis=1).mean()) if columns else math.nan
    if not math.isnan(solved):
        return solved
    before, after = (_neurons(runs, when) for when in ("before", "after"))
    return after / before if before else math.nan


def _neurons(runs: pd.DataFrame, when: str) -> float:
    columns = [name for name in runs if f".widths_{when}." in str(name)]
    return float(runs[columns].sum(axis=1).mean())


def _squared_error(runs: pd.DataFrame) -> pd.Series:
    columns = [name for name in runs if _SQUARED_ERROR.fullmatch(str(name))]
    return runs[columns].mean(axis=1)


def _sorted(rows: list[dict[str, Any]], by: list[str], ascending: list[bool]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.sort_values(by, ascending=ascending, ignore_index=True)
