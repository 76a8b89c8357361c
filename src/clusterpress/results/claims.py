"""What a claim is: a number that a paper printed, with unit, protocol, source and status."""

from dataclasses import dataclass
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

    ``columns`` are ``(ours,)`` or ``(ours, baseline)`` of the tidy table; ``form`` says how the
    two make the number. ``is_error`` marks what depends on which epoch is evaluated.
    """

    words: str
    unit: str
    better: Literal["lower", "higher"]
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
    "file_bytes": Quantity("size", "bytes", "lower", ("file_bytes",)),
}


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
        value: The number or bound, in the quantity's unit.
        status: How it is known: ``found | secondary | derived | inferred``.
        source: Where it stands (table, section).
        convention: How the paper counts a ratio; None where no ratio belongs to the claim.
        protocol: Which epoch the paper evaluates.
        max_error_change: The claim holds only while the error exceeds the own baseline's by at
            most this many points (0 = without loss); None where it is unconditional.
        points: Names, in the paper's suite, of the points that answer it.
        needs: What is missing where no point answers it.
        any_protocol: Compare although the paper reports its best test epoch.
        note: A remark for the table's reader.
    """

    id: str
    paper: str
    data: str
    model: str
    quantity: str
    relation: Relation
    value: float
    status: Status
    source: str
    convention: str | None = None
    protocol: Protocol = "unknown"
    max_error_change: float | None = None
    points: tuple[str, ...] = ()
    needs: str = ""
    any_protocol: bool = False
    note: str = ""

    @property
    def kind(self) -> Quantity:
        """The claim's quantity."""
        return QUANTITIES[self.quantity]


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
