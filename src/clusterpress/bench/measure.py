"""Time and peak memory of a piece of work, in this process."""

import contextlib
import ctypes
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from clusterpress.memory import forget_peak_memory, peak_memory_bytes, resident_bytes

Result = TypeVar("Result")
_MOST = 5
_REPEATS_ABOVE = ((60.0, 1), (10.0, 3))  # Seconds a run takes, and how often it is then done.
_PAUSE = 0.3  # Seconds in which idle threads of other libraries stop spinning.


@dataclass(frozen=True)
class Took:
    """What a piece of work took.

    Attributes:
        seconds: Median wall-clock time of the runs.
        repeats: Number of runs.
        peak_bytes: Most memory beyond what was resident before, of any run; None where the
            system does not tell (it does on Linux). It holds the result, not the input.
    """

    seconds: float
    repeats: int
    peak_bytes: int | None


def measure(work: Callable[[], Result], *, most: int = _MOST) -> tuple[Took, Result]:
    """Run ``work`` 5 times; 3 times if a run takes over 10 s, once if it takes over 60 s.

    Gives what it took, and what the last run gave.

    Args:
        work: What is measured; the caller has run it on a small input before, so that neither
            compilation nor imports count.
        most: Most runs.
    """
    time.sleep(_PAUSE)
    seconds, peak, result = _once(work)
    times, peaks = [seconds], [peak]
    for _ in range(min(most, _repeats(seconds)) - 1):
        del result
        seconds, peak, result = _once(work)
        times.append(seconds)
        peaks.append(peak)
    known = [each for each in peaks if each is not None]
    return Took(statistics.median(times), len(times), max(known, default=None)), result


def _repeats(seconds: float) -> int:
    return next((count for above, count in _REPEATS_ABOVE if seconds > above), _MOST)


def _once(work: Callable[[], Result]) -> tuple[float, int | None, Result]:
    _give_memory_back()
    before = resident_bytes() if forget_peak_memory() else None
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    peak = None if before is None else max(peak_memory_bytes() - before, 0)
    return seconds, peak, result


def _give_memory_back() -> None:
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
