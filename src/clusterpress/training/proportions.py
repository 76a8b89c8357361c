"""Shares of images with their 95 % intervals."""

import math
from dataclasses import dataclass

from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """A share in percent with its 95 % interval.

    Attributes:
        percent: The share.
        low: Lower end.
        high: Upper end.
    """

    percent: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.percent:.2f} % (95 %: {self.low:.2f} to {self.high:.2f})"


def wilson(hits: int, n: int) -> Share:
    """Give ``hits`` of ``n`` with Wilson's score interval (1927), which stays within 0 and 100."""
    interval = stats.binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return Share(100 * hits / n, 100 * float(interval.low), 100 * float(interval.high))


def paired_change(gained: int, lost: int, n: int) -> Share:
    """Give ``(gained - lost) / n`` of images that two networks saw, with Wald's paired interval.

    Args:
        gained: Images that only the first network has right.
        lost: Images that only the second one has right.
        n: Images in all.
    """
    change = (gained - lost) / n
    deviation = math.sqrt(max(0.0, (gained + lost) / n - change**2) / n)
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * deviation
    return Share(100 * change, 100 * (change - half), 100 * (change + half))
