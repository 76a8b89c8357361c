"""The two orders of a convolution with shared kernels, as tables for compiled stages.

Son et al. (2018), section 3.4. With kernels ``scale[o, i] * kernels[label[o, i]]``, either the
input channels that an output multiplies by the same kernel are added first and then convolved, or
each input channel is convolved once with each kernel it needs and then added.
"""

from enum import Enum

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.inference.layout import Layout, tiles
from clusterpress.inference.stages import Stage, Task

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Order(Enum):
    """In which order a layer is computed."""

    ADD_FIRST = "add, then convolve"
    CONVOLVE_FIRST = "convolve, then add"
    DENSE = "dense"


def multiplications(labels: Ints, scales: Floats, order: Order, taps: int) -> int:
    """Count the multiplications of the convolutions alone for every output position.

    Args:
        labels: Shape (O, I).
        scales: Shape (O, I); a kernel of scale zero needs none.
        order: The order.
        taps: h * w of the kernels.
    """
    if order is Order.DENSE:
        return labels.size * taps
    by_output = order is Order.ADD_FIRST
    rows, kept = (labels, scales != 0) if by_output else (labels.T, scales.T != 0)
    pairs = zip(rows, kept, strict=True)
    return taps * sum(len(np.unique(row[keep])) for row, keep in pairs)


def add_first(
    kernels: Floats, labels: Ints, scales: Floats, bias: Floats, rectified: bool, layout: Layout
) -> tuple[Stage, Stage]:
    """Give the stages: per output and kernel, add input rows into scratch; then convolve these.

    The scratch of a thread has as many rows as an output has different kernels, at most.
    """
    found = [_groups(labels[o], np.flatnonzero(scales[o])) for o in range(len(labels))]
    counts = [len(used) for used, _ in found]
    width, count = tiles(layout.filled)
    slots = np.concatenate([np.arange(n) for n in counts]) if sum(counts) else np.zeros(0, int)
    members = [each for _, groups in found for each in groups]
    outputs = np.repeat(np.arange(len(labels)), counts)
    weights = [scales[o, each] for o, each in zip(outputs, members, strict=True)]
    rows = [each * layout.row + layout.begin for each in members]
    places = slots * layout.row + layout.begin
    zeros = np.zeros(len(members), np.float32)
    adding = _stage(_bounds(counts), rows, weights, zeros, places, (width, count, False))
    shifts = [_shifted(np.arange(n), layout) for n in counts]
    taps = [kernels[used].ravel() for used, _ in found]
    return adding, _last(shifts, taps, bias, rectified, layout)


class AddFirst:
    """The work and the memory of that order, for inputs of one shape; arrays as of ``add_first``.

    Results of two calls do not share memory; two threads may not call at once.
    """

    def __init__(
        self,
        kernels: Floats,
        labels: Ints,
        scales: Floats,
        bias: Floats,
        rectified: bool,
        layout: Layout,
    ) -> None:
        stages = add_first(kernels, labels, scales, bias, rectified, layout)
        slots = int(np.diff(stages[0].units).max(initial=1))
        self._layout, self._rows = layout, torch.zeros(labels.shape[1], layout.row)
        self._out = torch.empty(len(labels), output_row(layout))
        self._scratch = torch.zeros(torch.get_num_threads(), slots * layout.row)
        places = tuple(each.data_ptr() for each in (self._rows, self._scratch, self._out))
        self._task = Task.of(stages, places, 4 * self._scratch.stride(0))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve images of the shape and float32."""
        self._layout.fill(self._rows, x)
        self._task.run()
        return self._layout.read(self._out)


def output_row(layout: Layout) -> int:
    """Give the numbers from a row of outputs to the next: whole tiles."""
    width, count = tiles(layout.used)
    return width * count


def _last(
    rows: list[Ints], weights: list[Floats], bias: Floats, rectified: bool, layout: Layout
) -> Stage:
    """Give the stage that writes the outputs, a unit each."""
    outputs = np.arange(len(bias) + 1)
    places = outputs[:-1] * output_row(layout)
    return _stage(outputs, rows, weights, bias, places, (*tiles(layout.used), rectified))


def _stage(
    units: Ints,
    offsets: list[Ints],
    weights: list[Floats],
    starts: Floats,
    places: Ints,
    shape: tuple[int, int, bool],
) -> Stage:
    return Stage(
        units.astype(np.int64),
        _bounds([len(each) for each in offsets]),
        np.concatenate([*offsets, np.zeros(0, np.int64)]).astype(np.int32),
        np.concatenate([*weights, np.zeros(0, np.float32)]).astype(np.float32),
        starts.astype(np.float32),
        places.astype(np.int64),
        *shape,
    )


def _groups(labels: Ints, members: Ints) -> tuple[Ints, list[Ints]]:
    """Give the kernels that an output uses, and the input channels of each."""
    order = members[np.argsort(labels[members], kind="stable")]
    used, firsts = np.unique(labels[order], return_index=True)
    return used, np.split(order, firsts[1:]) if len(used) else []


def _shifted(slots: Ints, layout: Layout) -> Ints:
    return (slots[:, None] * layout.row + layout.shifts).ravel()


def _bounds(counts: list[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
