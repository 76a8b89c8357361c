"""Files of given networks without training, at many accuracies, ours against NNCodec's.

Nothing is chosen: every price, and every step of NNCodec's, is a row, with what the test set says.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import nn

from clusterpress.artifact import load, save
from clusterpress.bench.artifact_networks import Trained, entropy_shared
from clusterpress.bench.artifact_peers import nncodec_untrained
from clusterpress.bench.bounds import Bound, line, table_head
from clusterpress.training.evaluation import Evaluation, evaluate

OUTPUT = Path("results/bench/untrained.csv")
OURS, NNCODEC = "clusterpress, price", "NNCodec, qp"
# Steps of a square root of two, and of NNCodec's that are as fine.
PRICES = (0.005, 0.007, 0.01, 0.014, 0.02, 0.028, 0.04, 0.056, 0.08, 0.112, 0.16, 0.224)
QPS = (-30, -29, -28, -27, -26, -25, -24, -23, -22, -21, -20, -19)
# What NNCodec was found to make of the given networks before ours was built, and points lost.
FOUND = {"lenet5": (12.9, 0.04), "resnet56": (8.1, 0.07)}


@dataclass(frozen=True)
class Point:
    """One file of a network: accuracy and agreement in % of the test images."""

    network: str
    coder: str
    setting: float
    bytes: int
    ratio: float
    lost: float
    agreement: float
    machine: str

    def beaten_by(self, other: "Point") -> bool:
        """Whether another file is at least as small and loses no more."""
        return other.bytes <= self.bytes and other.lost <= self.lost


def points(
    name: str, given: Trained, folder: Path, machine: str, *, prices: Sequence[float] = PRICES
) -> Iterator[Point]:
    """Give every file of a network, as it is read back; none where its images are missing."""
    if given.images is None:
        return
    images, path = given.images, folder / "untrained"
    before = evaluate(given.network, images.test, images)
    dense = save(given.network, path).reference_bytes

    def point(coder: str, setting: float, size: int, network: nn.Module) -> Point:
        found = evaluate(network.eval(), images.test, images)
        lost = round(found.top1_error - before.top1_error, 4)
        return Point(
            name, coder, setting, size, dense / size, lost, _agreement(before, found), machine
        )

    for price in prices:
        shared = entropy_shared(deepcopy(given.network), price, by_layer=False)
        size = save(shared, path).file_bytes
        yield point(OURS, price, size, load(path, into=deepcopy(given.network)))
    for qp in QPS:
        done = nncodec_untrained(given.network, qp)
        if done is not None:
            yield point(NNCODEC, qp, *done)


def _agreement(before: Evaluation, after: Evaluation) -> float:
    return 100 * float((before.predictions == after.predictions).to(torch.float64).mean())


def bounds(rows: Sequence[Point]) -> list[Bound]:
    """List what the files must show: smaller than NNCodec's were at no larger loss."""
    found = []
    for network, (ratio, lost) in FOUND.items():
        own = _of(rows, network, OURS)
        ratios = [row.ratio for row in own if row.lost <= lost]
        best = max(ratios, default=0.0) if own else None
        what = f"{network}: largest ratio that loses at most {lost:g} points"
        found.append(Bound(what, best, ratio, "x"))
    return found


def _of(rows: Iterable[Point], network: str, coder: str) -> list[Point]:
    return [row for row in rows if (row.network, row.coder) == (network, coder)]


def _beaten(rows: Sequence[Point]) -> Iterator[str]:
    for network in dict.fromkeys(row.network for row in rows):
        own, others = (_of(rows, network, coder) for coder in (OURS, NNCODEC))
        for those, these, of_these in ((own, others, "NNCodec's"), (others, own, "ours")):
            count = sum(any(one.beaten_by(that) for that in those) for one in these)
            yield (
                f"{network}: {count} of {len(these)} files of {of_these} have one of the other's "
                "beside them that is no larger and loses no more."
            )


def page(rows: Sequence[Point]) -> str:
    """Give what the files must show, then all of them."""
    machines = "; ".join(sorted({row.machine for row in rows}))
    lines = [
        "# Files of given networks without training",
        "",
        "`make bench-artifact`: weights share values at a price for each bit (squared error in "
        "units of all weights' variance), or are NNCodec's at a step of quantisation (qp; its "
        "other knobs as they are, dependent quantisation on). Every price and every step is here, "
        "with what the test set says of the file as it is read back: nothing is chosen. "
        f"{machines}",
        "",
        *table_head(["", "what", "must show", "measured"]),
        *(line(bound.cells()) for bound in bounds(rows)),
        "",
        *(f"- {sentence}" for sentence in _beaten(rows)),
        "",
        *table_head(["network", "coder", "setting", "bytes", "ratio", "points lost", "agreement"]),
        *(line(_cells(row)) for row in rows),
    ]
    return "\n".join([*lines, ""])


def _cells(row: Point) -> list[str]:
    numbers = [f"{row.setting:g}", f"{row.bytes:,}", f"{row.ratio:.2f}x", f"{row.lost:+.2f}"]
    return [row.network, row.coder, *numbers, f"{row.agreement:.2f} %"]


def table(rows: Iterable[Point]) -> str:
    """Give the points as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Point)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return out.getvalue()
