"""Our points in a figure of accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from clusterpress.results.statistics import Summary, summarize

SHAPES = "os^D"


@dataclass(frozen=True)
class Mark:
    """One of our points: its ratio and its accuracy in percent."""

    ratio: Summary
    right: Summary


def draw_marks(
    axes: Axes, runs: pd.DataFrame, convention: str, colour: str, profiles: Sequence[str]
) -> list[float]:
    """Draw a suite's points, filled by the convention and hollow as files.

    Args:
        axes: Where to draw.
        runs: The suite's.
        convention: How ratios are counted.
        colour: The suite's.
        profiles: All of the figure: each has a shape, and its name in the label where there are
            several.

    Returns:
        The accuracies of all marks.
    """
    heights = []
    for profile, group in runs.groupby("profile"):
        shape = SHAPES[profiles.index(str(profile)) % len(SHAPES)]
        own = f" ({profile})" if len(profiles) > 1 else ""
        label = f"{group['suite'].iloc[0]}{own}, ours by {convention}"
        marks, files = (_marks(group, f"ratio_{name}") for name in (convention, "file"))
        _draw(axes, marks, colour, shape, label)
        _draw(axes, files, colour, shape, None)
        heights += [mark.right.mean for mark in (*marks, *files)]
    return heights


def _marks(runs: pd.DataFrame, column: str) -> list[Mark]:
    return [
        Mark(summarize(group[column]), summarize(100 - group["top1_error"]))
        for _, group in runs.groupby("point")
        if column in group and group[column].notna().all()
    ]


def _draw(axes: Axes, marks: Sequence[Mark], colour: str, shape: str, label: str | None) -> None:
    if marks:
        axes.errorbar(
            [mark.ratio.mean for mark in marks],
            [mark.right.mean for mark in marks],
            yerr=[mark.right.half_width for mark in marks],
            fmt=shape,
            markersize=4,
            capsize=2,
            color=colour,
            markerfacecolor=colour if label else "none",
            label=label,
        )
