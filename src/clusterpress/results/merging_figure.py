"""The curve of merging: error over the parameters that are left."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clusterpress.results.drawing import baseline_lines, plain_numbers
from clusterpress.results.none_lines import NEUTRAL, THIN, dashes

_MARKERS = "o^sDvP"
_THOUSAND = 1000.0


def merging_figure(
    title: str, curve: pd.DataFrame, runs: pd.DataFrame, controls: pd.DataFrame
) -> Figure:
    """Draw the error over the parameters left, before and after fine-tuning, a line a method.

    Variants of a method have its colour, and a mark of their own.

    Args:
        title: Of the figure.
        curve: What ``merging`` gave.
        runs: Those of the curve's points: their baselines are drawn.
        controls: Those of its controls.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, column in ((left, "before"), (right, "after")):
        for method, rows in curve.sort_values("parameters").groupby("method"):
            summaries: list[Any] = rows[column].tolist()
            axes.errorbar(
                rows["parameters"] / _THOUSAND,
                [s.mean for s in summaries],
                yerr=[s.half_width for s in summaries],
                **_look(str(method), list(curve["method"])),
            )
        for error, label in baseline_lines(runs):
            axes.axhline(error, color="black", linewidth=0.8, label=label)
        axes.set(
            title=f"{title}, {column} fine-tuning",
            xlabel="parameters left, thousands",
            ylabel="top-1 error, %",
            xscale="log",
            yscale="log",
        )
        plain_numbers(axes.xaxis)
        plain_numbers(axes.yaxis)
    _none_lines(right, controls)
    right.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0), handlelength=4)
    return figure


def _none_lines(axes: Axes, controls: pd.DataFrame) -> None:
    """Draw a line for each control in use, named where there are several."""
    several = controls["point"].nunique() > 1
    for number, (_, runs) in enumerate(controls.groupby("point", sort=False)):
        names = ", ".join(dict.fromkeys(runs["suite"] + " " + runs["name"]))
        axes.axhline(
            runs.drop_duplicates("id")["top1_error"].mean(),
            color=NEUTRAL,
            linestyle=dashes(number, THIN),
            linewidth=THIN,
            label=f"none (same extra epochs){f': {names}' if several else ''}",
        )


def _look(method: str, methods: list[str]) -> dict[str, Any]:
    own, _, variant = method.partition(" (")
    bases = sorted({each.partition(" (")[0] for each in methods})
    variants = sorted({each.partition(" (")[2] for each in methods} | {""})
    return {
        "label": method,
        "color": f"C{bases.index(own) % 10}",
        "marker": _MARKERS[variants.index(variant) % len(_MARKERS)],
        "linestyle": "--" if variant else "-",
        "markersize": 4 if variant else 3,
        "capsize": 2,
        "linewidth": 1,
    }
