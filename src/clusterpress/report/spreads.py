"""Means and 95 % intervals of many points at once, as the page wants them."""

import math
from typing import Any

import pandas as pd

from clusterpress.results.statistics import t_factor

DIGITS = 8


def spreads(columns: pd.DataFrame, group: pd.Series) -> dict[int, dict[str, dict[str, Any]]]:
    """Summarise every column of every group as ``statistics.summarize`` does.

    Args:
        columns: Numbers; NaN values are left out.
        group: The group of each row.

    Returns:
        Group -> column -> ``mean``, ``std``, ``half`` of the 95 % t-interval (both None for one
        run), and ``n``; columns without a number are left out.
    """
    grouped = columns.groupby(group, sort=False)
    counts, means, stds = grouped.count(), grouped.mean(), grouped.std()
    found: dict[int, dict[str, dict[str, Any]]] = {int(number): {} for number in means.index}
    for name in columns:
        triples = zip(means.index, counts[name], means[name], stds[name], strict=True)
        for number, n, mean, std in triples:
            if n:
                half = t_factor(int(n)) * std if n > 1 else math.nan
                found[int(number)][str(name)] = {
                    "mean": finite(mean), "std": finite(std), "half": finite(half), "n": int(n)
                }  # fmt: skip
    return found


def finite(value: Any) -> float | None:
    """Give a number with eight significant digits; None where JSON has no word for it."""
    number = float(value)
    return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else None
