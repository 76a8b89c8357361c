import pytest

from clusterpress.results.statistics import summarize
from clusterpress.results.verdicts import half_unit, judge
from tests.results.synthetic import make_claim

HIGHER = {"quantity": "compression_ratio", "value": 40.0}
LOWER = {"quantity": "top1_error", "value": 0.74}
AT_LEAST = {"relation": "≥", "value": 30.0}
AT_MOST = {"quantity": "error_change", "relation": "≤", "value": 0.0}


@pytest.mark.parametrize(
    ("claim", "values", "word"),
    [
        (HIGHER, [42.0, 42.1, 42.2], "exceeded"),
        (HIGHER, [40.3, 40.3, 40.3], "reproduced"),  # it rounds to the printed 40
        (HIGHER, [40.0, 40.0], "reproduced"),
        (HIGHER, [39.0, 40.5, 39.5], "reproduced"),  # the interval contains 40
        (HIGHER, [39.0, 39.1, 39.0], "not reproduced"),
        (HIGHER, [39.9], "not reproduced"),
        (HIGHER, [80.0], "reproduced"),  # one run exceeds nothing
        (LOWER, [0.60, 0.61, 0.60], "exceeded"),
        (LOWER, [0.70, 0.72, 0.80], "reproduced"),
        (LOWER, [0.70, 0.76, 0.81], "reproduced"),
        (LOWER, [0.80, 0.81, 0.80], "not reproduced"),
        (LOWER, [0.75], "not reproduced"),
        (AT_LEAST, [30.0, 30.0], "reproduced"),
        (AT_LEAST, [90.0, 90.0], "reproduced"),  # an inequality is never exceeded
        (AT_LEAST, [29.9, 30.0], "not reproduced"),  # although the interval contains 30
        (AT_MOST, [0.0, 0.0], "reproduced"),
        (AT_MOST, [0.01, 0.0], "not reproduced"),
    ],
)
def test_the_rule(claim, values, word):
    verdict = judge(make_claim(**claim), summarize(values), summarize([0.0, 0.0]), "last")
    assert verdict.word == word
    assert ("n = 1" in verdict.why) == (len(values) == 1)


@pytest.mark.parametrize(
    ("allowed", "change", "word"),
    [
        (0.0, [0.0, 0.0], "reproduced"),
        (0.0, [-0.1, 0.1], "reproduced"),  # the mean counts
        (0.0, [0.01, 0.0], "not reproduced"),
        (0.05, [0.05, 0.05], "reproduced"),
        (0.05, [0.06, 0.05], "not reproduced"),
        (0.0, [], "not reproduced"),  # an error that is not known is no proof
        (None, [5.0, 5.0], "reproduced"),
    ],
)
def test_a_conditional_claim_needs_its_condition(allowed, change, word):
    claim = make_claim(**AT_LEAST, max_error_change=allowed)
    verdict = judge(claim, summarize([31.0, 31.0]), summarize(change), "last")
    assert verdict.word == word
    assert ("own baseline" in verdict.why) == (word == "not reproduced")


@pytest.mark.parametrize(
    ("settings", "ours", "comparable"),
    [
        ({"protocol": "best_test", **LOWER}, "last", False),
        ({"protocol": "best_test", **LOWER}, "validation", False),
        ({"protocol": "best_test", **LOWER}, "best_test", True),
        ({"protocol": "best_test", "any_protocol": True, **LOWER}, "last", True),
        ({"protocol": "best_test", **HIGHER}, "last", True),
        ({"protocol": "unknown", **LOWER}, "last", True),
    ],
)
def test_the_best_test_epoch_is_not_compared_with_the_last(settings, ours, comparable):
    verdict = judge(make_claim(**settings), summarize([1.0, 1.0]), summarize([0.0]), ours)
    assert (verdict.word != "not comparable") == comparable


@pytest.mark.parametrize(
    ("value", "expected"), [(40.0, 0.5), (10.3, 0.05), (0.74, 0.005), (11.33, 0.005), (100.0, 0.5)]
)
def test_half_a_unit_of_the_last_printed_digit(value, expected):
    assert half_unit(value) == pytest.approx(expected)
