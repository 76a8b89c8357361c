"""The inference benchmark's table, and the page that is made of it."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from pathlib import Path

from clusterpress.durable import write_atomic


@dataclass(frozen=True)
class LayerRow:
    """What one form of a 3x3 layer took.

    Attributes:
        inputs: Channels.
        outputs: Channels.
        side: Height and width of the images.
        batch: Images.
        kernels: Distinct kernels of the layer.
        threads: Threads of torch.
        machine: Name of the processor.
        method: The form.
        macs: Multiplications of the convolutions alone, of one image.
        seconds: Median wall-clock time.
    """

    inputs: int
    outputs: int
    side: int
    batch: int
    kernels: int
    threads: int
    machine: str
    method: str
    macs: int
    seconds: float

    @property
    def bound(self) -> float:
        """The most that this form can gain when additions cost as much: 9 / (1 + 9 K / O)."""
        return 9 / (1 + 9 * self.kernels / self.outputs)


def write_layers(path: Path, rows: Sequence[LayerRow]) -> None:
    """Write the rows as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(LayerRow))
    writer.writerows((*astuple(row)[:-1], f"{row.seconds:.4g}") for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.getvalue().encode())


def read_layers(path: Path) -> list[LayerRow]:
    """Read the rows of a CSV file that ``write_layers`` wrote."""
    with path.open(newline="") as file:
        return [_row(line) for line in csv.DictReader(file)]


def _row(line: dict[str, str]) -> LayerRow:
    numbers = [int(line[field.name]) for field in fields(LayerRow)[:6]]
    inputs, outputs, side, batch, kernels, threads = numbers
    where = (inputs, outputs, side, batch, kernels, threads, line["machine"])
    return LayerRow(*where, line["method"], int(line["macs"]), float(line["seconds"]))


def page(rows: Sequence[LayerRow]) -> str:
    """Give the page: for every layer and K, the best dense time over the best shared time."""
    return "\n".join([*_opening(rows), *_lines(rows), ""])


def _opening(rows: Sequence[LayerRow]) -> Iterator[str]:
    yield "# Convolutions with shared kernels against dense ones"
    yield ""
    yield (
        f"`make bench-inference` on {rows[0].machine}, {rows[0].threads} threads, float32: medians "
        "of interleaved runs. Speed is the faster dense form over the faster shared form; the "
        "bound 9 / (1 + 9 K / O) counts a multiplication and an addition as one."
    )
    yield ""
    yield "| layer | batch | K | dense us | shared us | form | speed | bound | fewer MACs |"
    yield f"|{'---|' * 9}"


def _lines(rows: Sequence[LayerRow]) -> Iterator[str]:
    for _, same in groupby(rows, lambda row: astuple(row)[:7]):
        group = list(same)
        dense = min((r for r in group if r.method.startswith("dense")), key=lambda r: r.seconds)
        shared = [row for row in group if not row.method.startswith("dense")]
        best = min(shared, key=lambda row: row.seconds)
        layer = f"{best.inputs} to {best.outputs} at {best.side}x{best.side}"
        times = f"{dense.seconds * 1e6:.0f} | {best.seconds * 1e6:.0f} | {best.method}"
        gains = f"{dense.seconds / best.seconds:.2f}x | {best.bound:.2f}x"
        fewer = dense.macs / min(row.macs for row in shared)
        yield f"| {layer} | {best.batch} | {best.kernels} | {times} | {gains} | {fewer:.2f}x |"
