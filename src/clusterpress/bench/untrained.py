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
    name: str,
    given: Trained,
    folder: Path,
    machine: str,
    *,
    prices: Sequence[float] = PRICES,
    done: Sequence[Point] = (),
) -> Iterator[Point]:
    """Give every file of a network, as it is read back; no new one where its images are missing.

    Args:
        name: The network's name.
        given: Its weights and images.
        folder: Where files are made.
        machine: Where this runs.
        prices: Of our files.
        done: Points that were measured before; these are given as they are.
    """
    if given.images is None:
        yield from (row for row in done if row.network == name)
        return
    images, path = given.images, folder / "untrained"
    before = evaluate(given.network, images.test, images)
    dense = save(given.network, path).reference_bytes
    known = {(row.network, row.coder, row.setting): row for row in done}
    for coder, setting in (*((OURS, each) for each in prices), *((NNCODEC, each) for each in QPS)):
        if (name, coder, setting) in known:
            yield known[name, coder, setting]
        elif (made := _made(given.network, coder, setting, path)) is not None:
            size, network = made
            after = evaluate(network.eval(), images.test, images)
            lost, same = round(after.top1_error - before.top1_error, 4), _agreement(before, after)
            yield Point(name, coder, setting, size, dense / size, lost, same, machine)


def _made(
    network: nn.Module, coder: str, setting: float, path: Path
) -> tuple[int, nn.Module] | None:
    """Give a file's bytes and the network that it gives; None where the coder is missing."""
    if coder == NNCODEC:
        return nncodec_untrained(network, int(setting))
    shared = entropy_shared(deepcopy(network), setting, by_layer=False)
    return save(shared, path).file_bytes, load(path, into=deepcopy(network))


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


def read(path: Path) -> list[Point]:
    """Read the points of a CSV that ``table`` gave."""
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return [
        Point(
            network=line["network"],
            coder=line["coder"],
            setting=float(line["setting"]),
            bytes=int(line["bytes"]),
            ratio=float(line["ratio"]),
            lost=float(line["lost"]),
            agreement=float(line["agreement"]),
            machine=line["machine"],
        )
        for line in lines
    ]
