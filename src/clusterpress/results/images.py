"""What the test set's own size leaves open: the bootstrap over its images.

An image is right or wrong for the baseline and for the file: four outcomes. To draw n images with
replacement and count outcomes is to draw the counts from a multinomial; an error, or a difference
of errors, is then a sum of n independent numbers from {-1, 0, 1}. Its distribution is computed, so
nothing is drawn: this is the percentile bootstrap with infinitely many resamples.

It draws only outcomes that were seen. Where no image is wrong, or none changed, it would say that
none ever could: what n images cannot show stands there instead, and no interval is said to be
narrower than that.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap (1993), sections 5.2 and 13.3;
Clopper and Pearson (1934) for outcomes that no image had.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from clusterpress.results.statistics import CONFIDENCE
from clusterpress.results.tidy import IMAGES

COLUMNS = [f"images_{name}" for name in IMAGES]
_WIDTH = 20.0
"""Standard deviations, on both sides, within which a sum is looked for."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, in percent or percent points."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of its width."""
        return (self.high - self.low) / 2


def unseen(n: int) -> float:
    """Give the largest share, in percent, of which n images show none with a chance of 2.5 %.

    ``1 - 0.025^(1/n)``, the exact bound of Clopper and Pearson: about 3.7 / n, 0.04 % for 10,000.
    """
    return -100 * math.expm1(math.log((1 - CONFIDENCE) / 2) / n)


@lru_cache(maxsize=4096)
def bootstrap(n: int, minus: int, plus: int) -> Interval:
    """Give the bootstrap's interval of ``100 * (plus - minus) / n``.

    Where all images count the same, every resample does too: ``unseen`` stands to either side.

    Args:
        n: Images, more than 0.
        minus: Images that count -1 each.
        plus: Images that count +1 each.
    """
    mean = float(plus - minus)
    deviation = math.sqrt(max(plus + minus - mean**2 / n, 0.0))
    if deviation == 0:
        return Interval(100 * mean / n - unseen(n), 100 * mean / n + unseen(n))
    # The sum's distribution by its characteristic function, on a circle that is wide enough.
    size = 1 << math.ceil(math.log2(2 * _WIDTH * deviation + 64))
    angle = 2 * np.pi * np.arange(size) / size
    one = (plus * np.exp(1j * angle) + minus * np.exp(-1j * angle) + (n - plus - minus)) / n
    start = round(mean) - size // 2
    shares = np.fft.fft(one**n * np.exp(-1j * angle * start)).real / size
    below = np.cumsum(np.clip(shares, 0, None))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.searchsorted(below / below[-1], [tail, 1 - tail])
    return Interval(100 * float(start + low) / n, 100 * float(start + high) / n)


def error_interval(counts: Mapping[str, Any]) -> Interval:
    """Give the interval of a file's top-1 error in percent; keys are those of ``IMAGES``."""
    total, wrong = _total(counts), int(counts["only_baseline"]) + int(counts["both_wrong"])
    return bootstrap(total, 0, wrong)


def change_interval(counts: Mapping[str, Any]) -> Interval:
    """Give the interval of a file's error minus its baseline's, paired by image, in points."""
    return bootstrap(_total(counts), int(counts["only_file"]), int(counts["only_baseline"]))


def half_widths(runs: pd.DataFrame) -> tuple[float, float]:
    """Give half the intervals of error and change, each the mean over the runs; NaN if unknown.

    Runs share the images, so the interval of their mean error is at most this wide: a deviation
    of a mean is at most the mean of the deviations. None is narrower than what the images cannot
    show: one wrong image does not leave less open than none.
    """
    if any(name not in runs or runs[name].isna().any() for name in COLUMNS) or runs.empty:
        return math.nan, math.nan
    rows = [dict(zip(IMAGES, row, strict=True)) for row in runs[COLUMNS].to_numpy().tolist()]
    least = [unseen(_total(row)) for row in rows]
    errors = np.maximum([error_interval(row).half_width for row in rows], least)
    changes = np.maximum([change_interval(row).half_width for row in rows], least)
    return float(np.mean(errors)), float(np.mean(changes))


def _total(counts: Mapping[str, Any]) -> int:
    return sum(int(counts[name]) for name in IMAGES)
