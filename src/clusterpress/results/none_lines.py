"""The lines of a figure of accuracy at the control ``none``."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from clusterpress.results.controls import CONTROL, SUITE, control_runs

Dashes = tuple[int, tuple[float, ...]]
KEYS = ["suite", "name", "profile"]
NEUTRAL = "darkgrey"
"""Of what is no one suite's own; the baseline is black."""
THIN = 1.2


def nones(runs: pd.DataFrame) -> pd.DataFrame:
    """Give the runs of every ``none`` of the papers' suites, and of those of ``controls`` in use.

    What ``controls`` has serves points of suites that have no ``none`` for them.
    """
    papers = runs[runs["suite"] != SUITE]
    points = papers[papers["method"] != CONTROL].groupby(KEYS)
    own = papers[papers["method"] == CONTROL]
    found = pd.concat([own, *(control_runs(runs, group) for _, group in points)])
    return found.drop_duplicates(["suite", "name", "id"])


def none_lines(
    axes: Axes, runs: pd.DataFrame, colours: Mapping[str, str], profiles: Sequence[str]
) -> None:
    """Draw a line for each ``none``: no two of a colour and width have the same dashes.

    The colour tells the suite, the width the profile.

    The same runs under the names of several suites are one line.

    Args:
        axes: Where to draw.
        runs: What ``nones`` gave.
        colours: By suite.
        profiles: All of the figure; the labels tell which where there are several.
    """
    lines: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for key, group in runs.groupby(KEYS):
        lines.setdefault(tuple(sorted(group["id"])), []).append(tuple(map(str, key)))
    drawn: Counter[tuple[str, float]] = Counter()
    for ids, keys in lines.items():
        suites, names, (profile, *_) = (sorted({*each}) for each in zip(*keys, strict=True))
        own = f" ({profile})" if len(profiles) > 1 else ""
        colour = colours.get(suites[0], NEUTRAL) if len(suites) == 1 else NEUTRAL
        width = THIN * (1 + profiles.index(profile))
        axes.axhline(
            100 - runs[runs["id"].isin(ids)].drop_duplicates("id")["top1_error"].mean(),
            color=colour,
            linestyle=dashes(drawn[colour, width], width),
            linewidth=width,
            label=f"{', '.join(suites)}: {', '.join(names)}{own}, the baseline trained on",
        )
        drawn[colour, width] += 1


def dashes(number: int, width: float) -> Dashes:
    """Give a dash and as many dots as the number says, as long at every line width.

    They are short, so that a legend's sample of 28 points has the dots of seven lines.
    """
    pattern = (6.0, 1.8, *(1.2, 1.8) * number)
    return 0, tuple(length / width for length in pattern)
