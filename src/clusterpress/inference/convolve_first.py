"""The faster order for most layers: convolve each input with each kernel it needs, then add."""

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.inference.blocks import blocks
from clusterpress.inference.convolving import FIELDS, STAGES, compiled
from clusterpress.inference.crew import run
from clusterpress.inference.layout import Layout
from clusterpress.inference.tiles import Tiles

_PLACE = {name: place for place, name in enumerate(FIELDS)}
_PARTS = 9  # Patches of one more kind: parts for kernels that are flips of each other.


class ConvolveFirst:
    """The work and the memory for inputs of one shape and for one number of threads.

    The inputs are taken in blocks, and these in as many groups as keep all threads busy; each has
    its own sums, which are added at the end. So the output's last bits may depend on the number of
    threads.

    Args:
        kernels: float32, shape (P, h, w).
        labels: Shape (O, I).
        scales: float32, shape (O, I).
        bias: float32, shape (O,).
        rectified: Whether negative outputs become zero.
        layout: Of the inputs.
    """

    def __init__(
        self,
        kernels: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int64],
        scales: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        rectified: bool,
        layout: Layout,
    ) -> None:
        outputs, channels = labels.shape
        tiles, threads = Tiles.of(layout, outputs), torch.get_num_threads()
        tables = blocks(kernels, labels, scales, 4 * tiles.row)
        count = len(tables.bounds) - 1
        groups = min(-(-threads // tiles.tiles), count)
        self.size = (layout.batch, outputs, *layout.out)
        taps = kernels[0].size
        rows = torch.zeros(channels, layout.row)
        room = torch.zeros(threads, (taps + _PARTS + tables.slots_of_a_block) * tiles.row)
        sums = torch.empty(groups * tiles.tiles * outputs * tiles.row)
        self._held = {
            "rows": rows.numpy(), "room": room.numpy(), "sums": sums.numpy(),
            "line_places": layout.line_places, "column_places": layout.column_places,
            "shifts": layout.shifts, "starts": tiles.starts, "runs": tiles.runs, "bias": bias,
            "bounds": tables.bounds, "inputs": tables.inputs, "taps": tables.taps,
            "terms": tables.terms, "counts": tables.counts, "slots": tables.slots,
            "weights": tables.weights,
        }  # fmt: skip
        numbers = {
            "images": layout.batch, "height": layout.height, "width": layout.width,
            "channels": channels, "row": layout.row, "compact": int(layout.stride == 1),
            "room_size": 4 * room.stride(0), "outputs": outputs,
            "out_size": layout.out[0] * layout.out[1], "tiles": tiles.tiles, "groups": groups,
            "blocks": count, "run_count": len(tiles.runs), "rectified": int(rectified),
        }  # fmt: skip
        addresses = {name: array.ctypes.data for name, array in self._held.items()}
        known = addresses | numbers
        self._task = np.array([known.get(name, 0) for name in FIELDS], np.int64)
        self._address = int(self._task.ctypes.data)
        shape = (tiles.lanes, tiles.vectors, tiles.lanes // tiles.piece, taps)
        self._piece, self._entry = compiled(shape)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve images of the shape and float32; not by two threads at once."""
        out = torch.empty(self.size)
        task = self._task
        task[0], task[1] = x.data_ptr(), out.data_ptr()
        task[_STRIDES] = x.stride()
        run(self._entry, self._piece, self._address, STAGES)
        return out


_STRIDES = slice(_PLACE["image_stride"], _PLACE["column_stride"] + 1)
