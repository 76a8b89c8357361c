"""The inference benchmark's table of layers."""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
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
        transforms: Of these are flips and rotations of one another.
        threads: Threads of torch.
        machine: Name of the processor.
        method: The form.
        macs: Multiplications of the convolutions alone, of one image.
        seconds: Least wall-clock time of the rounds.
    """

    inputs: int
    outputs: int
    side: int
    batch: int
    kernels: int
    transforms: int
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
    numbers = [int(line[field.name]) for field in fields(LayerRow)[:7]]
    inputs, outputs, side, batch, kernels, transforms, threads = numbers
    where = (inputs, outputs, side, batch, kernels, transforms, threads, line["machine"])
    return LayerRow(*where, line["method"], int(line["macs"]), float(line["seconds"]))
