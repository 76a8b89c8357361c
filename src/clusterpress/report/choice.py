"""Which points a page shows where there are too many: suites' points, unbeaten ones, a spread."""

import numpy as np
import pandas as pd

MOST = 2000
RULE = (
    "all points of suites, all that no other point of the same network beats in both ratio and "
    "error, by any convention, and of the rest an even spread over data, network, method and ratio"
)


def chosen_groups(
    runs: pd.DataFrame, group: pd.Series, named: pd.Series, most: int
) -> tuple[set[int], set[int]]:
    """Choose the groups of runs (points) to show.

    Args:
        runs: The runs of all points.
        group: The point of each run.
        named: Whether a suite names the run's point.
        most: How many points are shown; more where suites and fronts alone are more.

    Returns:
        The points to show, and among them those of suites and fronts.
    """
    ratios = [str(name) for name in runs if str(name).startswith("ratio_")]
    means = runs[["top1_error", *ratios]].groupby(group).mean()
    places = runs[["data", "model", "method"]].groupby(group).first()
    important = {int(number) for number in group[named].unique()}
    for _, same in means.groupby([places["data"], places["model"]]):
        for name in ratios:
            important |= set(unbeaten(same[name], same["top1_error"]))
    table = places.assign(ratio=means.get("ratio_file", means["top1_error"]))
    rest = table[~table.index.isin(important)]
    rest = rest.sort_values(["data", "model", "method", "ratio"], kind="stable")
    room = min(max(most - len(important), 0), len(rest))
    spread = np.linspace(0, len(rest) - 1, room).astype(int) if room else np.empty(0, int)
    return important | {int(number) for number in rest.index[spread]}, important


def unbeaten(ratio: pd.Series, error: pd.Series) -> list[int]:
    """Give the index of the points that no other beats: none has at least the ratio and less error.

    Of points that are equal in both, the first counts.
    """
    known = pd.DataFrame({"ratio": ratio, "error": error}).dropna()
    known = known.sort_values(["ratio", "error"], ascending=[False, True], kind="stable")
    best = np.minimum.accumulate(known["error"].to_numpy())
    before = np.concatenate([[np.inf], best[:-1]])[: len(known)]
    return [int(number) for number in known.index[known["error"].to_numpy() < before]]
