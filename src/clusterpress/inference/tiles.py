"""How the numbers of the output images lie in tiles of vectors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterpress.inference.layout import Layout
from clusterpress.inference.vectors import LANES, REGISTERS

Ints = npt.NDArray[np.int64]
_PIECES = (8, 4, 2)  # Numbers of a line that are loaded at once.


@dataclass(frozen=True)
class Tiles:
    """All outputs of a channel, one behind the other, cut into vectors and these into tiles.

    Either whole lines, in pieces of 8, 4 or 2 that lie side by side in the input too; or the flat
    row of ``Layout`` with its unused numbers, for widths that no piece divides well.

    Attributes:
        lanes: Numbers of a vector: 8, or 4 for images that small.
        vectors: Of a tile.
        tiles: How many there are.
        piece: Numbers that are loaded at once.
        starts: Where every piece begins in a channel's row, before the shift of a tap, int32.
        runs: Outputs that lie side by side both in a tile and in the image: tile, first number
            there, first number in the output of channel 0, length; int64, shape (runs, 4).
    """

    lanes: int
    vectors: int
    tiles: int
    piece: int
    starts: npt.NDArray[np.int32]
    runs: Ints

    @classmethod
    def of(cls, layout: Layout, channels: int) -> "Tiles":
        """Choose the tiles of fewest vectors for an output of so many channels."""
        rows, columns = layout.out
        piece = next((n for n in _PIECES if columns % n == 0), 0)
        lined = layout.batch * rows * columns
        whole = piece > 0 and -(-lined // LANES) <= -(-layout.used // LANES)
        image, line, y, x = np.meshgrid(
            np.arange(layout.batch), [0], np.arange(rows), np.arange(columns), indexing="ij"
        )
        place = (image * layout.image + y * layout.line + x + line).ravel()
        target = (image * channels * rows * columns + y * columns + x).ravel()
        if whole:
            return cls._cut(np.arange(lined), place[::piece], target, piece)
        starts = np.arange(-(-layout.used // LANES)) * LANES
        return cls._cut(place, starts, target, LANES)

    @classmethod
    def _cut(cls, place: Ints, starts: Ints, target: Ints, piece: int) -> "Tiles":
        lanes = 4 if place[-1] < 4 and piece <= 4 else LANES
        total = -(-len(starts) * piece // lanes)
        count = -(-total // REGISTERS)
        vectors = -(-total // count)
        padded = np.zeros(count * vectors * lanes // piece, np.int32)
        padded[: len(starts)] = starts
        return cls(lanes, vectors, count, piece, padded, _runs(place, target, vectors * lanes))

    @property
    def row(self) -> int:
        """Numbers of a tile."""
        return self.vectors * self.lanes


def _runs(place: Ints, target: Ints, row: int) -> Ints:
    tile, begin = place // row, place % row
    ends = (np.diff(place) != 1) | (np.diff(target) != 1) | (np.diff(tile) != 0)
    first = np.concatenate([[0], np.flatnonzero(ends) + 1])
    length = np.diff([*first, len(place)])
    return np.stack([tile[first], begin[first], target[first], length], axis=1).astype(np.int64)
