"""Medians of the right number of runs, and memory that is really taken."""

import sys

import numpy as np
import pytest

from clusterpress.bench import measure as room
from clusterpress.bench.measure import measure

MEGABYTE = 10**6
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are Linux's")


def clock(monkeypatch, *durations: float) -> None:
    ticks = iter([tick for length in durations for tick in (0.0, length)])
    monkeypatch.setattr(room.time, "perf_counter", lambda: next(ticks))


@pytest.mark.parametrize(
    ("durations", "median"),
    [
        ((1.0, 5.0, 2.0, 4.0, 3.0), 3.0),
        ((11.0, 9.0, 8.0), 9.0),
        ((61.0,), 61.0),
    ],
)
def test_long_runs_are_repeated_less_often(monkeypatch, durations, median):
    clock(monkeypatch, *durations)
    took, _ = measure(lambda: None)
    assert (took.seconds, took.repeats) == (median, len(durations))


def test_no_more_runs_than_asked_and_the_last_result_is_given():
    runs = []
    took, result = measure(lambda: runs.append(None) or len(runs), most=2)
    assert took.repeats == result == len(runs) == 2


@linux
def test_the_peak_is_what_is_allocated_beyond_the_input_even_if_given_back():
    kept = np.ones(40 * MEGABYTE, np.uint8)

    def work() -> int:
        return int(np.ones(80 * MEGABYTE, np.uint8)[-1] + kept[0])

    peaks = [measure(work, most=1)[0].peak_bytes for _ in range(2)]
    assert all(70 * MEGABYTE < peak < 100 * MEGABYTE for peak in peaks)


@linux
def test_a_result_counts_but_not_the_result_of_the_run_before():
    took, result = measure(lambda: np.ones(80 * MEGABYTE, np.uint8), most=3)
    assert result.nbytes <= took.peak_bytes + 10 * MEGABYTE
    assert took.peak_bytes < 120 * MEGABYTE


def test_without_the_systems_help_there_is_no_peak(monkeypatch):
    monkeypatch.setattr(room, "forget_peak_memory", lambda: False)
    assert measure(lambda: None, most=1)[0].peak_bytes is None
