"""The bootstrap over test images against one that draws images, and against the binomial."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from clusterpress.results.images import bootstrap, change_interval, error_interval, half_widths


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
def test_what_no_image_can_change_has_no_width(minus, plus):
    interval = bootstrap(10, minus, plus)
    assert interval.low == interval.high == 10 * (plus - minus)


def test_records_without_the_counts_say_nothing():
    assert np.isnan(half_widths(pd.DataFrame({"top1_error": [1.0]}))).all()
