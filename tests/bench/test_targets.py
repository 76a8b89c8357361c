"""Verdicts come from the rows and from nothing else."""

from dataclasses import replace

import pytest

from clusterpress.bench.run import Sizes
from clusterpress.bench.targets import TARGETS, verdicts
from clusterpress.bench.verdicts import At, Target, error_ratio, number, ratio

OURS, THEIRS, OTHERS = (At("case", name, 10, 4) for name in ("ours", "theirs", "others"))


@pytest.fixture
def rows(row):
    each = (("ours", 2.0, 0.0, 5), ("theirs", 30.0, 0.5, 7), ("others", 20.0, None, None))
    return [
        row(case="case", method=name, k=4, seconds=seconds, relative_error=error, peak_bytes=peak)
        for name, seconds, error, peak in each
    ]


def test_a_speed_is_over_the_fastest_of_all_that_must_be_there(rows):
    speed = Target("speed", ratio([THEIRS, OTHERS], [OURS]), 10, at_least=True)
    assert str(speed.verdict(rows)) == "met           speed: at least 10x, measured 10x"
    assert replace(speed, limit=10.1).verdict(rows).judgement == "missed"
    assert str(speed.verdict(rows[:2])) == "not measured  speed: at least 10x"
    assert str(speed.verdict(rows[1:])) == "not measured  speed: at least 10x"


def test_an_error_or_a_peak_is_met_up_to_its_limit(rows):
    error = Target("error", number(THEIRS, lambda row: row.relative_error), 0.5, unit="")
    assert str(error.verdict(rows)) == "met           error: at most 0.5, measured 0.5"
    assert replace(error, limit=0.4).verdict(rows).judgement == "missed"
    peak = Target("peak", number(OTHERS, lambda row: row.peak_bytes), 9)
    assert peak.verdict(rows).judgement == "not measured"


def test_errors_are_compared_without_their_reference(rows):
    assert error_ratio(OURS, THEIRS)(rows) == pytest.approx(1 / 1.5)
    assert error_ratio(OURS, OTHERS)(rows) is None


def test_rows_of_another_size_measure_no_target(rows):
    assert replace(OURS, n=11).find(rows) is None
    assert replace(OURS, k=None).find(rows) is None


def test_every_target_has_a_line_and_is_found_in_full_rows(row):
    assert len(verdicts([])) == len(TARGETS)
    assert all(verdict.judgement == "not measured" for verdict in verdicts([]))
    sizes = Sizes()
    ours, sort = "clusterpress optimal_centers", "numpy sort"
    huge = [
        row("VGG-16 fc6", ours, sizes.huge, 16, seconds=0.2, relative_error=2e-4, peak_bytes=10**6),
        row("VGG-16 fc6", sort, sizes.huge, None, seconds=6.0),
    ]
    found = [each for each in verdicts(huge) if "1.03e8, K = 16, centres" in each.what]
    assert [each.judgement for each in found] == ["met", "missed", "met"]
