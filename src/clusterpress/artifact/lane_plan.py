"""Which streams share an arithmetic code, and on which grid each of them lies.

A lane is one arithmetic code with what it has learned. Small tensors share one, so that a network
of many small layers learns its statistics once; a large tensor is cut into bands of rows, each a
lane of its own, which are coded on threads. Directories alone decide it, the same on both sides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.floats import item_bytes
from clusterpress.artifact.tops import is_float

MIXED, FAST = "mixed", "fast"
LANE_CODERS = (MIXED, FAST)
# Elements of a lane: a few tenths of a second, and little against what there is to learn.
LANE = 1 << 22


@dataclass(frozen=True)
class Piece:
    """Band ``number`` of the ``bands`` of a tensor."""

    tensor: str
    number: int = 0
    bands: int = 1

    def rows(self, rows: int) -> slice:
        """Give the band's rows of ``rows``."""
        return slice(rows * self.number // self.bands, rows * (self.number + 1) // self.bands)


@dataclass(frozen=True)
class Layout:
    """The grid of a stream: its rows and columns, the taps of a kernel and those of its line."""

    rows: int
    columns: int
    taps: int = 1
    line: int = 1
    masked: bool = False


def plan(tensors: Mapping[str, TensorEntry]) -> list[list[Piece]]:
    """Give the lanes' pieces: all that have streams of lanes, in order.

    A tensor of more than ``LANE`` elements and several rows has bands of about so many; of the
    others as many follow one another in a lane as have no more than ``LANE`` elements together.
    """
    lanes: list[list[Piece]] = []
    filled = LANE + 1
    for name, entry in tensors.items():
        if not any(coded(stream) for stream in entry.streams):
            continue
        bands = _bands(entry)
        if bands > 1:
            lanes += [[Piece(name, number, bands)] for number in range(bands)]
            filled = LANE + 1
        elif filled + entry.elements > LANE:
            lanes.append([Piece(name)])
            filled = entry.elements
        else:
            lanes[-1].append(Piece(name))
            filled += entry.elements
    return lanes


def _bands(entry: TensorEntry) -> int:
    if entry.elements <= LANE or len(entry.shape) < 2:
        return 1
    if not any(coded(one) and layout(entry, one).rows == entry.shape[0] for one in entry.streams):
        return 1
    return min(entry.shape[0], -(-entry.elements // LANE))


def coded(stream: StreamEntry) -> bool:
    """Whether a stream is in a lane; empty ones are nowhere."""
    return stream.coder in LANE_CODERS


def layout(entry: TensorEntry, stream: StreamEntry) -> Layout:
    """Give the grid of a stream of a tensor."""
    shape, count = entry.shape, stream.count
    if isinstance(stream.form, str) and not is_float(stream.form):
        return Layout(count, item_bytes(stream.form))
    masked = stream.part != "position" and stream.part in ("index", "dense")
    masked = masked and "position" in entry.parts()
    if len(shape) > 1 and (masked or count == entry.elements):
        taps, line = prod(shape[2:]), shape[-1] if len(shape) > 2 else 1
        return Layout(shape[0], prod(shape[1:]), taps, line, masked)
    if masked or len(shape) < 2 or count <= shape[0] or count % max(1, shape[0]):
        return Layout(1, entry.elements if masked else count, masked=masked)
    return Layout(shape[0], count // shape[0])


def in_bands(entry: TensorEntry, stream: StreamEntry, piece: Piece) -> bool:
    """Whether each band has rows of a stream; else the first band has it whole."""
    return piece.bands > 1 and layout(entry, stream).rows == entry.shape[0]


def streams_of(entry: TensorEntry, piece: Piece) -> Iterable[StreamEntry]:
    """Give the streams that a piece holds, or holds rows of, in the order of their coding."""
    for stream in entry.streams:
        if coded(stream) and (piece.number == 0 or in_bands(entry, stream, piece)):
            yield stream
