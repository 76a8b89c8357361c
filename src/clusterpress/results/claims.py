"""What a claim is: a number that a paper printed, with unit, protocol, source and status."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
import pandas as pd

Status = Literal["found", "secondary", "derived", "inferred"]
Protocol = Literal["last", "validation", "best_test", "unknown"]
Relation = Literal["=", "≥", "≤"]

CONVENTIONS = (
    "han2016",
    "han2016_huffman",
    "son2018",
    "stock2020",
    "deep_kmeans",
    "weights",
    "fc_only",
    "parameters",
    "file",
)


@dataclass(frozen=True)
class Quantity:
    """A kind of number: its words, its unit, which way is better, and its columns.

    ``better="same"`` is for what a baseline *is*: neither more nor less would be right.

    ``columns`` are ``(ours,)`` or ``(ours, baseline)`` of the tidy table; ``form`` says how the
    two make the number. ``is_error`` marks what depends on which epoch is evaluated.
    """

    words: str
    unit: str
    better: Literal["lower", "higher", "same"]
    columns: tuple[str, ...]
    form: Literal["value", "change", "removed", "ratio"] = "value"
    is_error: bool = False


QUANTITIES: dict[str, Quantity] = {
    "baseline_top1_error": Quantity(
        "baseline's top-1 error", "%", "lower", ("baseline_top1_error",), is_error=True
    ),
    "baseline_top5_error": Quantity(
        "baseline's top-5 error", "%", "lower", ("baseline_top5_error",), is_error=True
    ),
    "top1_error": Quantity("top-1 error", "%", "lower", ("top1_error",), is_error=True),
    "top5_error": Quantity("top-5 error", "%", "lower", ("top5_error",), is_error=True),
    "error_change": Quantity(
        "change of top-1 error",
        "points",
        "lower",
        ("top1_error", "baseline_top1_error"),
        "change",
        is_error=True,
    ),
    "compression_ratio": Quantity("compression ratio", "x", "higher", ()),
    "parameters_removed": Quantity(
        "parameters removed", "%", "higher", ("parameters", "baseline_parameters"), "removed"
    ),
    "macs_removed": Quantity("MACs removed", "%", "higher", ("macs", "baseline_macs"), "removed"),
    "mac_ratio": Quantity("fewer MACs", "x", "higher", ("macs", "baseline_macs"), "ratio"),
    "shared_mac_ratio": Quantity(
        "fewer MACs, shared kernels in their cheaper order",
        "x",
        "higher",
        ("shared_macs", "baseline_macs"),
        "ratio",
    ),
    "file_bytes": Quantity("size", "bytes", "lower", ("file_bytes",)),
    "baseline_bytes": Quantity("baseline's size in fp32", "bytes", "same", ("reference_bytes",)),
    "baseline_conv_bytes": Quantity(
        "size of the baseline's convolutions in fp32", "bytes", "same", ("conv_weight_bytes",)
    ),
    "baseline_macs": Quantity("baseline's MACs", "MACs", "same", ("baseline_macs",)),
}


@dataclass(frozen=True)
class AtRatio:
    """The ratio that an error belongs to: reached by ``convention``, at least ``at_least``."""

    convention: str
    at_least: float


@dataclass(frozen=True)
class Claim:
    """A number that a paper printed.

    Attributes:
        id: Unique name.
        paper: Whose number it is.
        data: Data set, as our configs name it.
        model: Network, as our configs name it.
        quantity: One of ``QUANTITIES``.
        relation: ``=`` for a printed number; ``≥`` or ``≤`` for an inequality.
        printed: The number or bound in the quantity's unit, with every digit that was printed
            (``0.80``; ``58.8e6`` for 58.8 million).
        status: How it is known: ``found | secondary | derived | inferred``.
        source: Where it stands (table, section).
        convention: How the paper counts a ratio; None where no ratio belongs to the claim.
        protocol: Which epoch the paper evaluates.
        max_error_change: The claim holds only while the error exceeds the own baseline's by at
            most this many points (0 = without loss); None where it is unconditional.
        with_ratio: An error claim holds only where this ratio is reached as well.
        baseline_parameters: Parameters of the paper's uncompressed network; None where unknown.
        idle_parameters: How many of them change nothing, as biases before a BatchNorm do; a network
            without them is the same one.
        row: Joins the ratio and the error that stand in one row of the paper's table.
        no_number: The paper prints no number; the value is our own arithmetic.
        points: Names, in the paper's suite, of the points that answer it.
        needs: What is missing where no point answers it, or for a run of the points that do.
        any_protocol: Compare although the paper reports its best test epoch.
        note: A remark for the table's reader.
    """

    id: str
    paper: str
    data: str
    model: str
    quantity: str
    relation: Relation
    printed: str
    status: Status
    source: str
    convention: str | None = None
    protocol: Protocol = "unknown"
    max_error_change: float | None = None
    with_ratio: AtRatio | None = None
    baseline_parameters: int | None = None
    idle_parameters: int = 0
    row: str = ""
    no_number: bool = False
    points: tuple[str, ...] = ()
    needs: str = ""
    any_protocol: bool = False
    note: str = ""

    @property
    def kind(self) -> Quantity:
        """The claim's quantity."""
        return QUANTITIES[self.quantity]

    def is_of(self, counts: Iterable[int]) -> bool:
        """Whether baselines of so many parameters are the paper's network, as far as is known."""
        if self.baseline_parameters is None:
            return True
        same = {self.baseline_parameters, self.baseline_parameters - self.idle_parameters}
        return {*counts} <= same

    @property
    def value(self) -> float:
        """The number or bound, in the quantity's unit."""
        return float(self.printed)

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit: 0.5 for 40, 0.005 for 0.80, 50,000 for 58.8e6."""
        exponent = Decimal(self.printed).as_tuple().exponent
        return 0.5 * 10.0 ** (exponent if isinstance(exponent, int) else 0)

    @property
    def has_number(self) -> bool:
        """Whether the number is the paper's; our reading and our arithmetic are not."""
        return self.status != "inferred" and not self.no_number


@dataclass(frozen=True)
class Paper:
    """One file of ``experiments/``: a paper (or a group of them) and its claims."""

    paper: str
    title: str
    venue: str
    year: int | None
    claims: tuple[Claim, ...]


def measure(claim: Claim, runs: pd.DataFrame) -> pd.Series | None:
    """Give the claim's quantity of every run; None where the records do not hold it."""
    quantity = claim.kind
    columns = quantity.columns or (f"ratio_{claim.convention}",)
    if any(name not in runs or runs[name].isna().any() for name in columns):
        return None
    ours = runs[columns[0]].astype(np.float64)
    if quantity.form == "value":
        return ours
    baseline = runs[columns[1]].astype(np.float64)
    if quantity.form == "change":
        return ours - baseline
    return 100 * (1 - ours / baseline) if quantity.form == "removed" else baseline / ours
