import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clusterpress.results import summarize
from clusterpress.results.statistics import (
    change_to_baseline,
    change_to_point,
    describe,
    number,
)


def test_interval_by_hand():
    # mean 2, sample deviation 1, t(0.975, 2) = 4.3027: 4.3027 / sqrt(3) = 2.4841
    summary = summarize([1.0, 2.0, 3.0])
    assert (summary.mean, summary.std, summary.n) == (2.0, 1.0, 3)
    assert summary.half_width == pytest.approx(2.48414, abs=1e-5)


def test_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=7)
    low, high = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    summary = summarize(values)
    assert (summary.low, summary.high) == pytest.approx((low, high))


def test_one_run_has_no_interval():
    summary = summarize([0.7])
    assert not summary.has_interval
    assert math.isnan(summary.low)
    assert describe(summary) == "0.70 (n = 1, no interval)"


def test_nothing_is_a_dash():
    assert describe(summarize([math.nan])) == "–"


def test_equal_runs_have_an_interval_of_no_width():
    assert describe(summarize([0.5, 0.5])) == "0.50 ± 0.00"


def test_no_negative_zero():
    assert number(-0.0001) == "0.00"
    assert number(-0.0001, signed=True) == "+0.00"
    assert number(-0.06, signed=True) == "-0.06"


def test_differences_are_paired_by_seed():
    runs = pd.DataFrame({"seed": [0, 1, 2], "top1_error": [1.0, 2.0, 3.0],
                         "baseline_seed": [0, 1, 2],
                         "baseline_top1_error": [1.1, 2.1, 3.1]})  # fmt: skip
    change = change_to_baseline(runs)
    assert change.mean == pytest.approx(-0.1)
    assert change.half_width == pytest.approx(0, abs=1e-9)
    other = pd.DataFrame({"seed": [2, 1, 9], "top1_error": [2.5, 1.5, 100.0],
                          "baseline_seed": [2, 1, 9],
                          "baseline_top1_error": [3.1, 2.1, 9.1]})  # fmt: skip
    paired = change_to_point(runs, other)
    assert (paired.mean, paired.n) == (0.5, 2)


def test_runs_that_began_with_different_baselines_are_no_pair():
    own = pd.DataFrame({"seed": [0, 1], "baseline_seed": [0, 1], "top1_error": [1.0, 2.0]})
    own = own.assign(baseline_top1_error=3.0)
    shared = own.assign(baseline_seed=0, top1_error=[1.5, 9.0])
    paired = change_to_point(shared, own)
    assert (paired.mean, paired.n) == (0.5, 1)
    elsewhere = own.assign(baseline_top1_error=[3.0, 3.1], top1_error=1.5)
    paired = change_to_point(elsewhere, own)
    assert (paired.mean, paired.n) == (0.5, 1)
