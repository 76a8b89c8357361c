"""How images lie in memory so that a convolution is a weighted sum of shifted rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.inference.sums import LANES, WIDEST


@dataclass(frozen=True)
class Layout:
    """A channel's padded images, one behind the other, as one flat row of numbers.

    With stride 1, the zeros right of a line are those left of the next, and the zeros below an
    image those above the next. With stride s, the padded image is split into s * s images of every
    s-th line and column, each a flat row. So the output at ``q`` is the sum over taps of
    ``tap * row[q + shift(tap)]``, whatever the stride; some ``q`` are between two lines and unused.

    Attributes:
        batch: Number of images.
        height: Of an image.
        width: Of an image.
        taps: Height and width of the kernels.
        stride: The same in both directions.
        padding: Zeros above and below, and left and right.
    """

    batch: int
    height: int
    width: int
    taps: tuple[int, int]
    stride: int
    padding: tuple[int, int]

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of an output image."""
        size = (self.height + 2 * self.padding[0], self.width + 2 * self.padding[1])
        rows, columns = ((n - k) // self.stride + 1 for n, k in zip(size, self.taps, strict=True))
        return rows, columns

    @property
    def line(self) -> int:
        """Numbers from a line of a flat row to the next."""
        return -(-(self.width + self._margin(1)) // self.stride)

    @property
    def image(self) -> int:
        """Numbers from an image of a flat row to the next."""
        return -(-(self.height + self._margin(0)) // self.stride) * self.line

    @property
    def phase(self) -> int:
        """Numbers from a flat row of a channel to its next (stride above 1), with zeros behind."""
        behind = self.padding[0] * self.line + self.padding[1]
        return self.batch * self.image + (behind if self.stride == 1 else 0)

    @property
    def used(self) -> int:
        """Numbers of an output row up to the last that is used."""
        rows, columns = self.out
        return (self.batch - 1) * self.image + (rows - 1) * self.line + columns

    @property
    def begin(self) -> int:
        """Where the first line of the first image begins; only zeros are before it."""
        return self.padding[0] * self.line if self.stride == 1 else 0

    @property
    def filled(self) -> int:
        """Numbers from there to the end of the last image."""
        if self.stride > 1:
            return self.stride**2 * self.phase
        lines = (self.height - 1) * self.line + self.width + self.padding[1]
        return (self.batch - 1) * self.image + lines

    @property
    def row(self) -> int:
        """Numbers from a channel to the next, so that tiles may end behind the images."""
        numbers = self.stride**2 * self.phase
        return numbers + 2 * WIDEST + LANES * (numbers // WIDEST + 1)

    @property
    def shifts(self) -> npt.NDArray[np.int64]:
        """What is added to an output's place for every tap, shape (h * w,)."""
        down, right = np.divmod(np.arange(self.taps[0] * self.taps[1]), self.taps[1])
        s = self.stride
        phase = (down % s * s + right % s) * self.phase
        shifts: npt.NDArray[np.int64] = phase + down // s * self.line + right // s
        return shifts

    @property
    def line_places(self) -> npt.NDArray[np.int64]:
        """Where the lines of the images go in a flat row, shape (N * H,)."""
        image, y = np.divmod(np.arange(self.batch * self.height), self.height)
        down = y + self.padding[0]
        phase = down % self.stride * self.stride * self.phase
        places: npt.NDArray[np.int64] = image * self.image + phase + down // self.stride * self.line
        return places + (self.padding[1] if self.stride == 1 else 0)

    @property
    def column_places(self) -> npt.NDArray[np.int64]:
        """Where the numbers of a line go, from where the line goes, shape (W,)."""
        right = np.arange(self.width) + (self.padding[1] if self.stride > 1 else 0)
        places: npt.NDArray[np.int64] = right % self.stride * self.phase + right // self.stride
        return places

    def fill(self, rows: torch.Tensor, x: torch.Tensor) -> None:
        """Write images (N, C, H, W) into rows of zeros, shape (C, row)."""
        for a in range(self.stride):
            for b in range(self.stride):
                self._fill_phase(rows, x, a, b)

    def _margin(self, direction: int) -> int:
        """Zeros of a direction: those of one side where the other side can be the neighbour's."""
        padding = self.padding[direction]
        shared = self.stride == 1 and padding < self.taps[direction]
        return padding if shared else 2 * padding

    def _fill_phase(self, rows: torch.Tensor, x: torch.Tensor, a: int, b: int) -> None:
        s, (above, left) = self.stride, self.padding
        top, first = (a - above) % s, (b - left) % s
        part = x[:, :, top::s, first::s]
        begin = (a * s + b) * self.phase + (top + above) // s * self.line + (first + left) // s
        size, strides = part.shape, (self.image, rows.stride(0), self.line, 1)
        rows.as_strided(size, strides, rows.storage_offset() + begin).copy_(part)

    def read(self, rows: torch.Tensor) -> torch.Tensor:
        """Copy images (N, O, H', W') out of output rows, shape (O, row)."""
        size = (self.batch, rows.shape[0], *self.out)
        view = rows.as_strided(size, (self.image, rows.stride(0), self.line, 1))
        return view.clone(memory_format=torch.contiguous_format)


def tiles(length: int) -> tuple[int, int]:
    """Cut so many numbers into tiles of one width: the width and how many there are."""
    registers = -(-length // LANES)
    count = -(-registers // (WIDEST // LANES))
    return -(-registers // count) * LANES, count
