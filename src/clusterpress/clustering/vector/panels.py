"""Vectors of few dimensions, kept a second time in panels for the compiled kernels."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.threads import cut, on_threads
from clusterpress.clustering.vector.fields import PanelField
from clusterpress.clustering.vector.kernels import lanes, nearest_of_panel, table_of
from clusterpress.clustering.vector.rows import Names, Reals, Rows, Units

_PIECE = 2**10  # Panels whose pass is worth a thread.


@dataclass(frozen=True)
class PanelRows(Rows):
    """Vectors in panels.

    Attributes:
        panels: The vectors in normal units and in the precision of ``rows``, transposed in groups
            of ``lanes``, the last filled up with zeros, shape (panels, d, lanes).
    """

    panels: Reals

    @classmethod
    def of(cls, rows: Reals, weights: Floats, units: Units) -> Self:
        """Pack vectors into panels."""
        width = lanes(rows.dtype)
        panels = np.zeros((-(-len(rows) // width), rows.shape[1], width), rows.dtype)
        parts = cut(len(panels), _PIECE, len(panels))

        def pack(piece: int) -> None:
            part = parts[piece]
            given = rows[part.start * width : part.stop * width]
            _pack(given, units.scale, units.origin, panels[part])

        on_threads(pack, len(parts))
        return cls(rows, weights * units.share, units, panels)

    def nearest(self, candidates: Floats) -> Names:
        """Name the nearest candidate of every vector: O(n m d) in registers, see the kernels."""
        table, halves = table_of(candidates, self.rows.dtype)
        names = np.empty((len(self.panels), self.panels.shape[2]), np.int32)
        parts = cut(len(names), _PIECE, len(names))
        on_threads(
            lambda i: _nearest(self.panels[parts[i]], table, halves, names[parts[i]]), len(parts)
        )
        return names.reshape(-1)[: len(self)]

    def field(self) -> PanelField:
        """Begin a seeding."""
        return PanelField(self.panels, self.weights)


@njit(cache=True, nogil=True)
def _pack(rows: Reals, scale: float, origin: Floats, panels: Reals) -> None:
    width = panels.shape[2]
    for i in range(len(rows)):
        for j in range(origin.size):
            panels[i // width, j, i % width] = rows[i, j] * scale - origin[j]


@njit(cache=True, nogil=True)
def _nearest(panels: Reals, table: Reals, halves: Reals, names: Names) -> None:
    for i in range(len(panels)):
        nearest_of_panel(panels[i], table, halves, names[i])
