"""The lines of a figure of accuracy at the control ``none``."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from clusterpress.results.controls import CONTROL, SUITE, control_runs

Dashes = tuple[int, tuple[int, ...]]
KEYS = ["suite", "name", "profile"]


def nones(runs: pd.DataFrame) -> pd.DataFrame:
    """Give the runs of every ``none`` of the papers' suites, and of those of ``controls`` in use.

    A point whose suite has no ``none`` for it is set against that of ``controls``.
    """
    papers = runs[runs["suite"] != SUITE]
    points = papers[papers["method"] != CONTROL].groupby(KEYS)
    own = papers[papers["method"] == CONTROL]
    found = pd.concat([own, *(control_runs(runs, group) for _, group in points)])
    return found.drop_duplicates(["suite", "name", "id"])


def none_lines(axes: Axes, runs: pd.DataFrame, colour: str, profiles: Sequence[str]) -> None:
    """Draw a line for each ``none`` of one suite: the dashes tell the names, the width the profile.

    Args:
        axes: Where to draw.
        runs: Those of the suite's ``none``.
        colour: The suite's.
        profiles: All of the figure; the labels tell which where there are several.
    """
    names = sorted(set(runs["name"]))
    for (suite, name, profile), group in runs.groupby(KEYS):
        own = f"{name} ({profile})" if len(profiles) > 1 else name
        axes.axhline(
            100 - group["top1_error"].mean(),
            color=colour,
            linestyle=_dashes(names.index(str(name))),
            linewidth=0.8 * (1 + profiles.index(str(profile))),
            label=f"{suite}: {own}, the baseline trained on",
        )


def _dashes(number: int) -> Dashes:
    """Give a dash and as many dots as the number says, so that no two are alike."""
    return 0, (8, 2, *(1, 2) * number)
