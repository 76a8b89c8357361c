"""Tests over many comparisons: Holm's correction, and what it takes back."""

import math

import numpy as np
import pytest
from scipy import stats

from clusterpress.results import comparison, read_records, summarize
from clusterpress.results.corrections import with_p
from clusterpress.results.markdown import markdown
from clusterpress.results.statistics import holm, p_value
from clusterpress.results.tables import comparison_page
from tests.results.synthetic import NAMES, make_claim, make_record, store_of


def test_p_is_students_and_agrees_with_the_interval():
    values = np.random.default_rng(1).normal(0.5, 1, 6)
    summary = summarize(values)
    assert p_value(summary, 0.2) == pytest.approx(stats.ttest_1samp(values, 0.2).pvalue)
    assert p_value(summary, summary.low) == pytest.approx(0.05)
    assert math.isnan(p_value(summarize([1.0])))
    assert p_value(summarize([1.0, 1.0]), 1.0) == 1.0
    assert math.isnan(p_value(summarize([1.0, 1.0]), 2.0))


def test_seeds_that_agree_to_the_image_prove_nothing():
    same = summarize([0.3 - 0.1, 0.9 - 0.7, 0.2])
    assert same.std > 0  # Only by the rounding of the subtraction.
    assert math.isnan(p_value(same))
    assert p_value(same, 0.2) == 1.0


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling; NaN is no member.
    assert holm([0.04, 0.01, math.nan, 0.03, 0.02]) == pytest.approx(
        [0.06, 0.04, math.nan, 0.06, 0.06], nan_ok=True
    )
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_columns_of_one_table_are_one_family():
    clear, unclear = summarize([1.0, 1.1, 0.9]), summarize([1.0, -1.0])
    rows = [{"point": "a", "change": "x", "n": "3"}, {"point": "b", "change": "y", "n": "2"}]
    first, second = with_p(rows, {"change": [clear, unclear]})
    assert list(first) == ["point", "change", "p (Holm), change", "n"]
    assert float(first["p (Holm), change"]) == pytest.approx(2 * p_value(clear), abs=5e-4)
    assert second["p (Holm), change"] == "1.000"


def test_exceeded_is_taken_back_where_many_claims_make_it_likely(tmp_path):
    # p is about 0.03 for each: below 0.05 alone, above it as one of ten.
    records = [make_record(seed=seed, ratios={"han2016": 10 + seed / 2}) for seed in range(3)]
    frame = read_records(store_of(tmp_path, records))
    claim = {"convention": "han2016", "value": "9.0", "max_error_change": 0.0}
    (alone,) = comparison(frame, [make_claim(**claim)], NAMES).to_dict("records")
    assert alone["verdict"] == "exceeded"
    assert alone["p_holm"] == alone["p"] < 0.05
    many = comparison(frame, [make_claim(id=f"c{i}", **claim) for i in range(10)], NAMES)
    assert set(many["verdict"]) == {"reproduced"}
    assert all("Holm's correction over 10 comparisons" in why for why in many["why"])
    assert set(many["family"]) == {10}


def test_a_claim_beside_two_points_is_two_comparisons(tmp_path):
    records = [
        make_record(point, seed=seed, ratios={"han2016": 10 + seed / 2})
        for point in ("p", "q")
        for seed in range(3)
    ]
    names = {"p": [("han2016", "lenet5")], "q": [("han2016", "lenet5-paper")]}
    points = ("lenet5", "lenet5-paper")
    claim = make_claim(convention="han2016", value="9.0", max_error_change=0.0, points=points)
    compared = comparison(read_records(store_of(tmp_path, records)), [claim], names)
    assert list(compared["family"]) == [2, 2]
    assert list(compared["p_holm"]) == pytest.approx(list(2 * compared["p"]))
    assert all("over 2 comparisons" in why for why in compared["why"])
    page = markdown(comparison_page(compared))
    assert "(comparisons: 2; printed numbers in them: 1;" in page


def test_one_seed_is_in_no_family(tmp_path):
    frame = read_records(store_of(tmp_path, [make_record()]))
    (row,) = comparison(frame, [make_claim()], NAMES).to_dict("records")
    assert math.isnan(row["p"])
    assert "n = 1" in row["why"]
