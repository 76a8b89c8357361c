"""How the numbers of the output images lie in tiles of vectors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterpress.inference.layout import Layout
from clusterpress.inference.vectors import LANES, REGISTERS

Ints = npt.NDArray[np.int64]
_PIECES = (16, 8, 4, 2)  # Numbers of a line that are loaded at once.
_FEWER = (4, 8)  # Lanes for images so small.


@dataclass(frozen=True)
class Tiles:
    """All outputs of a channel, one behind the other, cut into vectors and these into tiles.

    Either whole lines, in pieces of 16, 8, 4 or 2 that lie side by side in the input too; or the
    flat row of ``Layout`` with its unused numbers, for widths that no piece divides.

    Attributes:
        lanes: Numbers of a vector: a register's, or 4 or 8 for images that small.
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
        lined = layout.batch * rows * columns
        lanes = _lanes(lined)
        piece = next((n for n in _PIECES if n <= lanes and columns % n == 0), 0)
        image, line, y, x = np.meshgrid(
            np.arange(layout.batch), [0], np.arange(rows), np.arange(columns), indexing="ij"
        )
        place = (image * layout.image + y * layout.line + x + line).ravel()
        target = (image * channels * rows * columns + y * columns + x).ravel()
        if piece:
            return cls._cut(np.arange(lined), place[::piece], target, (lanes, piece))
        lanes = _lanes(layout.used)
        starts = np.arange(-(-layout.used // lanes)) * lanes
        return cls._cut(place, starts, target, (lanes, lanes))

    @classmethod
    def _cut(cls, place: Ints, starts: Ints, target: Ints, shape: tuple[int, int]) -> "Tiles":
        lanes, piece = shape
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


def _lanes(numbers: int) -> int:
    return next((n for n in _FEWER if numbers <= n), LANES)


def _runs(place: Ints, target: Ints, row: int) -> Ints:
    tile, begin = place // row, place % row
    ends = (np.diff(place) != 1) | (np.diff(target) != 1) | (np.diff(tile) != 0)
    first = np.concatenate([[0], np.flatnonzero(ends) + 1])
    length = np.diff([*first, len(place)])
    return np.stack([tile[first], begin[first], target[first], length], axis=1).astype(np.int64)
