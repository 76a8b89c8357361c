"""The verdict on a claim: one rule for all quantities."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from clusterpress.results.claims import Claim
from clusterpress.results.statistics import Summary, number

Word = Literal["exceeded", "reproduced", "not reproduced", "not comparable", "not run"]
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Verdict:
    """A word and the reason that a reader needs beside it (may be empty)."""

    word: Word
    why: str = ""

    def __str__(self) -> str:
        return f"{self.word} ({self.why})" if self.why else self.word


def judge(claim: Claim, ours: Summary, change: Summary, protocol: str) -> Verdict:
    """Judge a claim by what we measured of it.

    The first that applies:

    1. *not comparable*: the number is an error of the paper's best TEST epoch, ours is not, and
       the claim does not say ``any_protocol``.
    2. *not reproduced*: the claim is conditional and our mean error exceeds our own baseline's
       mean by more than ``max_error_change`` points (0 where the claim says ``no_loss``).
    3. An inequality (``≥`` or ``≤``) is *reproduced* where our mean meets it, else *not
       reproduced*; it is never *exceeded*.
    4. A printed number is *exceeded* where the better end of the paper's rounding interval
       (half a unit of its last printed digit) is worse than the worse end of our 95 % interval.
       This needs n > 1.
    5. It is *reproduced* where our mean is at least as good as the printed number, or where our
       interval contains the number; else *not reproduced*.

    "Better" is higher for ratios and shares removed, lower for errors and sizes. Means are
    compared with a slack of 1e-9. The reason says n = 1 where there is a single run.

    Args:
        claim: What the paper says.
        ours: Our measurement of the claim's quantity.
        change: Our error minus our own baseline's, paired by seed, in points.
        protocol: The protocol of our runs.
    """
    single = "" if ours.has_interval else "n = 1"
    if claim.kind.is_error and claim.protocol == "best_test" != protocol and not claim.any_protocol:
        return Verdict(
            "not comparable", f"the paper reports its best test epoch, ours is {protocol}"
        )
    allowed = claim.max_error_change
    if allowed is not None and not change.mean <= allowed + TOLERANCE:
        reason = (
            f"error {number(change.mean, signed=True)} points against the own baseline, "
            f"allowed {number(allowed, signed=True)}"
        )
        return Verdict("not reproduced", _join(reason, single))
    return Verdict(_word(claim, ours), single)


def _word(claim: Claim, ours: Summary) -> Word:
    sign = _direction(claim)
    gain = sign * (ours.mean - claim.value)
    if claim.relation != "=":
        return "reproduced" if gain >= -TOLERANCE else "not reproduced"
    if ours.has_interval:
        worse, better = sorted((sign * (ours.low - claim.value), sign * (ours.high - claim.value)))
        if worse > half_unit(claim.value) + TOLERANCE:
            return "exceeded"
        if better >= -TOLERANCE:
            return "reproduced"
    return "reproduced" if gain >= -TOLERANCE else "not reproduced"


def _direction(claim: Claim) -> int:
    if claim.relation == "=":
        return 1 if claim.kind.better == "higher" else -1
    return 1 if claim.relation == "≥" else -1


def half_unit(value: float) -> float:
    """Give half a unit of the number's last digit: 0.5 for 40, 0.05 for 10.3, 0.005 for 0.74."""
    exponent = Decimal(f"{value:g}").as_tuple().exponent
    digits = exponent if isinstance(exponent, int) else 0
    return 0.5 * 10.0 ** min(digits, 0)


def _join(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)
