"""The bootstrap over test images against one that draws images, and against the binomial."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from clusterpress.results.images import (
    COLUMNS,
    bootstrap,
    change_interval,
    error_interval,
    half_widths,
    unseen,
)


@pytest.mark.parametrize(("n", "wrong"), [(10, 5), (1797, 60), (10_000, 1), (50_000, 15_000)])
def test_an_error_has_the_binomials_quantiles(n, wrong):
    interval = bootstrap(n, 0, wrong)
    wanted = [100 * binom.ppf(share, n, wrong / n) / n for share in (0.025, 0.975)]
    assert [interval.low, interval.high] == pytest.approx(wanted)


def test_a_paired_difference_is_that_of_images_drawn_again():
    counts = {"both_right": 900, "only_baseline": 30, "only_file": 50, "both_wrong": 20}
    baseline = np.repeat([1, 1, 0, 0], list(counts.values()))
    file = np.repeat([1, 0, 1, 0], list(counts.values()))
    random = np.random.default_rng(0)
    drawn = random.integers(0, 1000, (4000, 1000))
    changes = 100 * (baseline[drawn] - file[drawn]).mean(axis=1)
    interval = change_interval(counts)
    wanted = np.quantile(changes, [0.025, 0.975])
    assert [interval.low, interval.high] == pytest.approx(wanted, abs=0.16)
    errors = 100 * (1 - file[drawn]).mean(axis=1)
    own = error_interval(counts)
    wanted = np.quantile(errors, [0.025, 0.975])
    assert [own.low, own.high] == pytest.approx(wanted, abs=0.16)


@pytest.mark.parametrize(("minus", "plus"), [(0, 0), (0, 10), (10, 0)])
def test_images_that_all_agree_leave_what_they_could_not_show(minus, plus):
    interval = bootstrap(10, minus, plus)
    assert interval.low + interval.high == pytest.approx(20 * (plus - minus))
    # A share of images so large would not have been seen in one of ten, with a chance of 2.5 %.
    assert (1 - interval.half_width / 100) ** 10 == pytest.approx(0.025)


def images(both_right: int, only_baseline: int, only_file: int, both_wrong: int) -> pd.DataFrame:
    counts = [both_right, only_baseline, only_file, both_wrong]
    return pd.DataFrame([dict(zip(COLUMNS, counts, strict=True))])


@pytest.mark.parametrize("n", [1, 10, 1797, 10_000])
def test_no_test_set_leaves_nothing_open(n):
    for counts in ((n, 0, 0, 0), (0, 0, 0, n), (n - 1, 1, 0, 0), (n - 1, 0, 1, 0)):
        error, change = half_widths(images(*counts))
        assert min(error, change) >= unseen(n) > 0


def test_more_images_that_differ_never_leave_less_open():
    found = [half_widths(images(9_990 - 2 * k, k, k, 10)) for k in range(12)]
    assert all(np.diff([change for _, change in found]) >= 0)
    found = [half_widths(images(10_000 - k, 0, 0, k)) for k in range(12)]
    # The bootstrap's ends are whole images: half a step less is its rounding.
    assert all(np.diff([error for error, _ in found]) >= -0.005 - 1e-9)


def test_records_without_the_counts_say_nothing():
    assert np.isnan(half_widths(pd.DataFrame({"top1_error": [1.0]}))).all()
