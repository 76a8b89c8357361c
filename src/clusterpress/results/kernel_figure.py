"""The kernels that convolutions share, drawn as a grid (Son et al. 2018, figure 3)."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clusterpress import artifact
from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError
from clusterpress.results.drawing import STYLE

FORMATS = ("png", "svg", "pdf")
_COLUMNS = 16
_CELL = 0.42  # Inches.
_MOST_NUMBERED = 512


@dataclass(frozen=True)
class KernelGrid:
    """One set of kernels.

    Attributes:
        title: What stands above it.
        kernels: Floats, shape (K, h, w).
        uses: How often each is used, shape (K,).
    """

    title: str
    kernels: npt.NDArray[np.float32]
    uses: npt.NDArray[np.int64]


def draw_kernels(path: Path, picture: Path) -> None:
    """Draw the kernels that an artifact's convolutions share, each set by how often it is used.

    Raises:
        ArtifactError: The file is damaged.
        ConfigError: Its convolutions share no kernels, or the picture's name has another ending
            than those of ``FORMATS``.
        StoreError: The picture cannot be written.
    """
    ending = picture.suffix.removeprefix(".")
    if ending not in FORMATS:
        raise ConfigError(f"{picture} must end in one of .{', .'.join(FORMATS)}")
    grids = [
        KernelGrid(_title(book), book.centroids, book.uses) for book in artifact.read_kernels(path)
    ]
    if not grids:
        raise ConfigError(f"The artifact {path} has no convolutions that share kernels.")
    write_atomic(picture, kernel_picture(grids, ending))


def kernel_picture(grids: Sequence[KernelGrid], ending: str) -> bytes:
    """Draw sets of kernels below one another, most used first; give the picture's file.

    Args:
        grids: The sets.
        ending: One of ``FORMATS``.
    """
    heights = [-(-len(grid.kernels) // _COLUMNS) + 1.0 for grid in grids]
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        size = (_COLUMNS * _CELL + 0.4, sum(heights) * _CELL * 1.25)
        figure = Figure(size, layout="constrained")
        axes = figure.subplots(len(grids), squeeze=False, height_ratios=heights)[:, 0]
        for axis, grid in zip(axes, grids, strict=True):
            _draw(axis, grid)
        buffer = io.BytesIO()
        metadata = {} if ending == "png" else {"CreationDate" if ending == "pdf" else "Date": None}
        figure.savefig(buffer, format=ending, dpi=200, metadata=metadata, bbox_inches="tight")
    return buffer.getvalue()


def _title(book: artifact.KernelBook) -> str:
    first, last = book.layers[0], book.layers[-1]
    where = first if first == last else f"{len(book.layers)} layers, {first} to {last}"
    return f"{where}: {len(book.centroids)} centroids for {int(book.uses.sum()):,} kernels"


def _draw(axis: Axes, grid: KernelGrid) -> None:
    """Draw one set; red is positive, blue negative, in one scale for the whole set."""
    order = np.argsort(-grid.uses, kind="stable")
    picture, places = mosaic(grid.kernels[order])
    bound = float(np.nanmax(np.abs(picture), initial=0.0)) or 1.0
    axis.imshow(picture, cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
    axis.set_title(f"{grid.title}, most used first", fontsize=8, loc="left")
    axis.set_axis_off()
    if len(order) <= _MOST_NUMBERED:
        for (top, left), uses in zip(places, grid.uses[order], strict=True):
            middle = left + (grid.kernels.shape[2] - 1) / 2
            bottom = top + grid.kernels.shape[1] - 0.4
            axis.text(middle, bottom, f"{uses:,}", ha="center", va="top", fontsize=4, color="0.35")


def mosaic(
    kernels: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], list[tuple[int, int]]]:
    """Lay kernels side by side, a column of NaN and room for a number between them.

    Args:
        kernels: Shape (K, h, w).

    Returns:
        The picture, and the row and column of every kernel's first tap.
    """
    count, height, width = kernels.shape
    rows, gap = -(-count // _COLUMNS), 1
    shape = (rows * (height + gap), _COLUMNS * (width + gap))
    picture = np.full(shape, np.nan, dtype=np.float32)
    places = [
        (number // _COLUMNS * (height + gap), number % _COLUMNS * (width + gap))
        for number in range(count)
    ]
    for kernel, (top, left) in zip(kernels, places, strict=True):
        picture[top : top + height, left : left + width] = kernel
    return picture, places
