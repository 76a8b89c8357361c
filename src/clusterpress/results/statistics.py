"""Means, 95 % intervals, and differences paired by seed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95
SAME = 1e-9
"""A deviation that is only rounding: of differences of percents, and relative to large numbers."""


@dataclass(frozen=True)
class Summary:
    """What n seeds say of one number.

    Attributes:
        mean: Mean; NaN where n = 0.
        std: Sample standard deviation (n - 1); NaN where n < 2.
        n: Number of seeds.
        low: Lower end of the 95 % t-interval of the mean; NaN where n < 2.
        high: Upper end; NaN where n < 2.
    """

    mean: float
    std: float
    n: int
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether there are seeds enough for an interval."""
        return self.n > 1

    @property
    def differs(self) -> bool:
        """Whether there are two seeds that differ by more than the rounding of a subtraction."""
        return self.std > SAME * max(1.0, abs(self.mean))

    @property
    def half_width(self) -> float:
        """Half the interval's width; NaN where n < 2."""
        return (self.high - self.low) / 2


def summarize(values: Iterable[float]) -> Summary:
    """Give mean, sample deviation and 95 % t-interval; NaN values are left out."""
    finite = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    n = finite.size
    mean = float(finite.mean()) if n else math.nan
    if n < 2:
        return Summary(mean, math.nan, n, math.nan, math.nan)
    std = float(finite.std(ddof=1))
    half = t_factor(n) * std
    return Summary(mean, std, n, mean - half, mean + half)


@cache
def t_factor(n: int) -> float:
    """Give half the width of the 95 % t-interval of a mean of n > 1 numbers, in deviations."""
    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) / math.sqrt(n)


def p_value(summary: Summary, value: float = 0.0) -> float:
    """Give the two-sided p of Student's one-sample test that the mean is ``value``; NaN if n < 2.

    It is below 0.05 exactly where the 95 % interval leaves the value out. Seeds that are all equal
    have no spread to test with, so p is NaN, or 1 where all are the value: errors are counts of
    images, and two or three seeds often agree by chance (two in one of nine, for a few of 360).
    """
    if not summary.has_interval or math.isnan(value):
        return math.nan
    distance = abs(summary.mean - value)
    if not summary.differs:
        return math.nan if distance > SAME * max(1.0, abs(value)) else 1.0
    return float(2 * stdtr(summary.n - 1, -distance / summary.std * math.sqrt(summary.n)))


def holm(p_values: Iterable[float]) -> list[float]:
    """Correct the p-values of one family: Holm (1979), A simple sequentially rejective procedure.

    NaN stays NaN and does not count as a member of the family.
    """
    found = np.array(list(p_values), dtype=np.float64)
    members = np.flatnonzero(~np.isnan(found))
    ascending = members[np.argsort(found[members], kind="stable")]
    scaled = found[ascending] * np.arange(len(ascending), 0, -1)
    found[ascending] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in found]


def describe_p(value: float) -> str:
    """Say a p-value: three digits, ``< 0.001``, or ``–`` for NaN."""
    if math.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


BASELINE = ["baseline_seed", "baseline_top1_error"]
"""What tells baselines apart: one seed on two machines is two baselines, of different errors."""

NOTHING = Summary(math.nan, math.nan, 0, math.nan, math.nan)
"""The summary of no runs."""


def mean_of(runs: pd.DataFrame, column: str) -> float:
    """Give the mean of a column; NaN where the runs do not hold it."""
    return summarize(runs[column]).mean if column in runs else math.nan


def baselines_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Give the first run of each baseline that the runs began with."""
    return runs.drop_duplicates(BASELINE)


def change_to_baseline(runs: pd.DataFrame) -> Summary:
    """Summarise ``top1_error - baseline_top1_error`` of each run, in points."""
    return summarize(runs["top1_error"] - runs["baseline_top1_error"])


def change_to_point(runs: pd.DataFrame, other: pd.DataFrame, column: str = "top1_error") -> Summary:
    """Summarise ``column`` of ``runs`` minus that of ``other``, paired by seed and baseline.

    A seed is left out where only one of the two has it, or where they began with different
    baselines, as those of one seed on two machines are (told apart by their errors): the
    difference would be that of the baselines too.
    """
    pair = ["seed", *BASELINE]
    ours = runs.drop_duplicates("seed").set_index(pair)[column]
    theirs = other.drop_duplicates("seed").set_index(pair)[column]
    return summarize((ours - theirs).dropna().sort_index())


def describe(summary: Summary, digits: int = 2, *, signed: bool = False) -> str:
    """Say it in words: ``0.74 ± 0.05``, ``0.74 (n = 1, no interval)``, or ``–`` for nothing."""
    if summary.n == 0:
        return "–"
    mean = number(summary.mean, digits, signed=signed)
    if not summary.has_interval:
        return f"{mean} (n = 1, no interval)"
    return f"{mean} ± {summary.half_width:.{digits}f}"


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """Format a number; ``–`` for NaN, and never a negative zero."""
    if math.isnan(value):
        return "–"
    rounded = round(value, digits) + 0.0
    return f"{rounded:+.{digits}f}" if signed else f"{rounded:.{digits}f}"
