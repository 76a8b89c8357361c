"""The verdict on a claim: one rule for all quantities."""

import math
from dataclasses import dataclass
from typing import Literal

from clusterpress.results.claims import Claim
from clusterpress.results.statistics import CONFIDENCE, NOTHING, Summary, number, p_value

Rule = Literal["exceeded", "reproduced", "not reproduced"]
Word = Literal[
    Rule,
    "holds",
    "does not hold",
    "arithmetic agrees",
    "arithmetic disagrees",
    "not comparable",
    "not run",
]
READING: dict[Rule, Word] = {
    "exceeded": "holds",
    "reproduced": "holds",
    "not reproduced": "does not hold",
}
ARITHMETIC: dict[Rule, Word] = {
    "exceeded": "arithmetic agrees",
    "reproduced": "arithmetic agrees",
    "not reproduced": "arithmetic disagrees",
}
TOLERANCE = 1e-9
NEAR = 0.1
"""Points of error within which an interval that contains the printed number is believed."""


@dataclass(frozen=True)
class Verdict:
    """A word and the reason that a reader needs beside it (may be empty)."""

    word: Word
    why: str = ""

    def __str__(self) -> str:
        return f"{self.word} ({self.why})" if self.why else self.word


def judge(
    claim: Claim, ours: Summary, change: Summary, protocol: str, ratio: Summary = NOTHING
) -> Verdict:
    """Judge a claim by what we measured of it.

    The first that applies:

    1. *not comparable*: the number is an error of the paper's best TEST epoch, ours is not, and
       the claim does not say ``any_protocol``.
    2. *not reproduced*: a condition of the claim is not met, or is not known for every run: our
       mean error exceeds our own baseline's mean by more than ``max_error_change`` points (0
       where the claim says ``no_loss``), or our mean ratio is below ``with_ratio``.
    3. An inequality (``≥`` or ``≤``) is *reproduced* where our mean meets it, else *not
       reproduced*; it is never *exceeded*.
    4. What a baseline is (its size, its MACs), and what is only our arithmetic, is *reproduced*
       where our mean rounds to the number, else *not reproduced*.
    5. A printed number is *exceeded* where the better end of the paper's rounding interval
       (half a unit of its last printed digit) is worse than the worse end of our 95 % interval.
       This needs n > 1, and of an error seeds that differ. A ratio, share or size is *exceeded*
       only where the claim has a condition on the error: without one any setting beats it.
       Where a table makes many comparisons, ``corrected`` asks for more.
    6. It is *reproduced* where our mean is at least as good as the worse end of that rounding
       interval. For an error it is so too where n >= 3, our interval contains the number and our
       mean is within 0.1 points of it. Else *not reproduced*.

    "Better" is higher for ratios and shares removed, lower for errors and sizes. Means are
    compared with a slack of 1e-9. The reason says n = 1 where there is a single run. Where the
    number is our own, the words are *holds* and *does not hold* (our reading), or *arithmetic
    agrees* and *arithmetic disagrees* (our arithmetic).

    Args:
        claim: What the paper says.
        ours: Our measurement of the claim's quantity.
        change: Our error minus our own baseline's, paired by seed, in points.
        protocol: The protocol of our runs.
        ratio: Our ratio by the convention of ``claim.with_ratio``; nothing where it has none.
    """
    single = "" if ours.has_interval else "n = 1"
    if claim.kind.is_error and claim.protocol == "best_test" != protocol and not claim.any_protocol:
        return Verdict(
            "not comparable", f"the paper reports its best test epoch, ours is {protocol}"
        )
    unmet = _unmet(claim, ours.n, change, ratio)
    if unmet:
        return Verdict(_worded(claim, "not reproduced"), "; ".join(filter(None, [unmet, single])))
    return Verdict(_worded(claim, _rule(claim, ours)), single)


def _unmet(claim: Claim, n: int, change: Summary, ratio: Summary) -> str:
    """Say which condition is not met; empty where all are."""
    allowed, wanted = claim.max_error_change, claim.with_ratio
    if allowed is not None:
        if change.n != n:
            return f"the change to the own baseline is known for {change.n} of {n} runs"
        if not change.mean <= allowed + TOLERANCE:
            return (
                f"error {number(change.mean, signed=True)} points against the own baseline, "
                f"allowed {number(allowed, signed=True)}"
            )
    if wanted is not None:
        if ratio.n != n:
            return f"the ratio by {wanted.convention} is known for {ratio.n} of {n} runs"
        if not ratio.mean >= wanted.at_least - TOLERANCE:
            return (
                f"{number(ratio.mean)}x by {wanted.convention}, the claim is at "
                f"{wanted.at_least:g}x"
            )
    return ""


def p_exceeds(claim: Claim, ours: Summary) -> float:
    """Give the p of the test behind *exceeded*: that our mean is no better than the number.

    A t-test over the seeds against the better end of the number's rounding interval, two-sided so
    that it agrees with the 95 % interval; 1 where our mean is not better. NaN where *exceeded* is
    no possible verdict: n < 2, an inequality, what a baseline is, a number of our own, a ratio,
    share or size at whatever error. NaN also where all seeds give one number, which leaves nothing
    to test, unless it is that end itself (1).
    """
    if claim.relation != "=" or not _can_be_exceeded(claim) or not claim.has_number:
        return math.nan
    better = claim.half_unit if claim.kind.better == "higher" else -claim.half_unit
    p = p_value(ours, claim.value + better)
    return p if math.isnan(p) or _gain(claim, ours.mean) > claim.half_unit else 1.0


def corrected(verdict: Verdict, p: float, family: int) -> Verdict:
    """Take *exceeded* back where it does not survive the correction for many comparisons.

    Args:
        verdict: Of the claim by itself.
        p: ``p_exceeds`` after Holm's correction.
        family: How many comparisons were corrected together.
    """
    if verdict.word != "exceeded" or p < 1 - CONFIDENCE:
        return verdict
    reason = f"better, but not after Holm's correction over {family} comparisons: p = {p:.3f}"
    return Verdict("reproduced", "; ".join(filter(None, [verdict.why, reason])))


def _rule(claim: Claim, ours: Summary) -> Rule:
    half = claim.half_unit + TOLERANCE
    gain = _gain(claim, ours.mean)
    if claim.relation != "=":
        return "reproduced" if gain >= -TOLERANCE else "not reproduced"
    if claim.kind.better == "same" or claim.no_number:
        return "reproduced" if abs(gain) <= half else "not reproduced"
    # Seeds with the same error agree by chance; a ratio may be the same for every seed by nature.
    tested = ours.has_interval and (ours.differs or not claim.kind.is_error)
    worst = min(_gain(claim, ours.low), _gain(claim, ours.high))
    if tested and _can_be_exceeded(claim) and worst > half:
        return "exceeded"
    return "reproduced" if gain >= -half or _near(claim, ours) else "not reproduced"


def _can_be_exceeded(claim: Claim) -> bool:
    """Say whether to be better is an achievement: more compression at whatever error is none."""
    if claim.kind.better == "same":
        return False
    return claim.kind.is_error or claim.max_error_change is not None


def _gain(claim: Claim, value: float) -> float:
    """Give by how much the value is better than the claim's, in the claim's unit."""
    higher = claim.kind.better == "higher" if claim.relation == "=" else claim.relation == "≥"
    return value - claim.value if higher else claim.value - value


def _near(claim: Claim, ours: Summary) -> bool:
    return (
        claim.kind.is_error
        and ours.n >= 3
        and ours.low - TOLERANCE <= claim.value <= ours.high + TOLERANCE
        and abs(ours.mean - claim.value) <= NEAR + TOLERANCE
    )


def _worded(claim: Claim, rule: Rule) -> Word:
    if claim.has_number:
        return rule
    return ARITHMETIC[rule] if claim.no_number else READING[rule]
