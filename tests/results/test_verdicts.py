import pytest

from clusterpress.results.claims import AtRatio
from clusterpress.results.statistics import summarize
from clusterpress.results.verdicts import judge
from tests.results.synthetic import make_claim

HIGHER = {"quantity": "compression_ratio", "value": "40", "max_error_change": 0.0}
LOWER = {"quantity": "top1_error", "value": 0.74}
AT_LEAST = {"relation": "≥", "value": 30.0}
REMOVED = {"quantity": "parameters_removed", "value": 92.96}
ARITHMETIC = {"value": 7.99, "status": "derived", "no_number": True}
SIZE = {"quantity": "baseline_bytes", "value": "58.8e6"}
AT_MOST = {"quantity": "error_change", "relation": "≤", "value": 0.0}


@pytest.mark.parametrize(
    ("claim", "values", "word"),
    [
        (HIGHER, [42.0, 42.1, 42.2], "exceeded"),
        (HIGHER, [40.3, 40.3, 40.3], "reproduced"),  # it rounds to the printed 40
        (HIGHER, [40.0, 40.0], "reproduced"),
        (HIGHER, [39.5, 39.5], "reproduced"),
        (HIGHER, [39.4, 39.4], "not reproduced"),
        (HIGHER, [30.0, 45.0, 40.0], "not reproduced"),  # noise is no help: the mean decides
        (HIGHER, [39.9], "reproduced"),
        (REMOVED, [92.955, 92.955], "reproduced"),
        (REMOVED, [90.0, 93.0, 94.0], "not reproduced"),
        (REMOVED, [95.0, 95.1, 95.2], "reproduced"),  # at whatever error: that is only a setting
        ({**REMOVED, "max_error_change": 0.0}, [95.0, 95.1, 95.2], "exceeded"),
        (HIGHER, [80.0], "reproduced"),  # one run exceeds nothing
        (LOWER, [0.60, 0.61, 0.60], "exceeded"),
        (LOWER, [0.60, 0.60, 0.60], "reproduced"),  # errors that are equal by chance
        (HIGHER, [42.0, 42.0, 42.0], "exceeded"),  # a ratio may be the same by nature
        (LOWER, [0.70, 0.72, 0.80], "reproduced"),
        (LOWER, [0.744, 0.744], "reproduced"),  # it rounds to 0.74
        (LOWER, [0.70, 0.76, 0.81], "reproduced"),  # the interval contains 0.74, the mean is near
        (LOWER, [0.70, 0.82], "not reproduced"),  # two seeds are too few for that
        (LOWER, [0.50, 0.90, 1.15], "not reproduced"),  # near enough is 0.1 points
        (LOWER, [0.80, 0.81, 0.80], "not reproduced"),
        (LOWER, [0.75], "not reproduced"),
        (SIZE, [58_750_000.0, 58_750_000.0], "reproduced"),
        (SIZE, [58_700_000.0, 58_700_000.0], "not reproduced"),  # smaller is not right either
        (ARITHMETIC, [7.993, 7.993], "arithmetic agrees"),
        (ARITHMETIC, [8.1, 8.1], "arithmetic disagrees"),  # more is not agreement
        ({**AT_MOST, "status": "inferred"}, [-0.1, -0.1], "holds"),
        ({**AT_MOST, "status": "inferred"}, [0.1, 0.1], "does not hold"),
        (AT_LEAST, [30.0, 30.0], "reproduced"),
        (AT_LEAST, [90.0, 90.0], "reproduced"),  # an inequality is never exceeded
        (AT_LEAST, [29.9, 30.0], "not reproduced"),  # although the interval contains 30
        (AT_MOST, [0.0, 0.0], "reproduced"),
        (AT_MOST, [0.01, 0.0], "not reproduced"),
    ],
)
def test_the_rule(claim, values, word):
    change = summarize([0.0] * len(values))
    verdict = judge(make_claim(**claim), summarize(values), change, "last")
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
        (0.0, [0.0], "not reproduced"),  # nor one that is known for a part of the runs
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
    ("printed", "expected"),
    [("40", 0.5), ("10.3", 0.05), ("0.74", 0.005), ("0.80", 0.005), ("100", 0.5), ("58.8e6", 5e4)],
)
def test_half_a_unit_of_the_last_printed_digit(printed, expected):
    assert make_claim(value=printed).half_unit == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ratios", "word", "why"),
    [
        ([40.0, 41.0], "reproduced", ""),
        ([39.0, 40.5], "not reproduced", "39.75x by han2016_huffman, the claim is at 40x"),
        ([41.0], "not reproduced", "the ratio by han2016_huffman is known for 1 of 2 runs"),
    ],
)
def test_an_error_counts_only_at_its_ratio(ratios, word, why):
    claim = make_claim(**LOWER, with_ratio=AtRatio("han2016_huffman", 40))
    none = summarize([0.0, 0.0])
    verdict = judge(claim, summarize([0.74, 0.74]), none, "last", summarize(ratios))
    assert (verdict.word, verdict.why) == (word, why)


def test_a_good_error_with_a_loss_against_the_own_baseline_is_not_reproduced():
    claim = make_claim(**LOWER, max_error_change=0.05)
    assert judge(claim, summarize([0.7] * 2), summarize([0.1] * 2), "last").why.startswith("error")
