"""Vectors kept as torch tensors where they are: on the GPU, with the contract of the host.

Whatever a result depends on is summed in a fixed order, never by atomic additions, so that the
same input gives the same bits.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.tensors import host
from clusterpress.clustering.vector.orbits import Orbit
from clusterpress.clustering.vector.rows import Units, power_of_two
from clusterpress.clustering.vector.tensor_field import TensorField

Tensor = Any  # A torch.Tensor.

_NUMBERS = 2**24  # Held at a time: 128 MiB of float64.


class TensorRows:
    """n weighted vectors on a device; see ``Vectors``.

    ``nearest`` takes O(n m d) in products of matrices, ``totals`` O(n m d) in float64 products
    with the names' indicators; both go chunk by chunk, so that beyond the vectors and a copy of
    them they hold less than 1 GiB.
    """

    def __init__(self, rows: Tensor, weights: Floats, orbit: Orbit) -> None:
        self._rows = rows
        self.units = self._fitted(weights, orbit)
        self.weights = weights * self.units.share
        self._masses = self._sent(self.weights)
        parts = self._parts(rows.shape[1])
        self._normal = _torch().cat([self._exact(part).to(rows.dtype) for part in parts])

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._rows)

    def at(self, places: Ints) -> Floats:
        """Give some of the vectors; see ``Vectors``."""
        return self.units.normal(host(self._rows[self._sent(places)]))

    def nearest(self, candidates: Floats) -> Tensor:
        """Name the nearest candidate of every vector; see ``Vectors``."""
        table = self._sent(candidates).to(self._rows.dtype)
        halves = (0.5 * (table.double() ** 2).sum(dim=1)).to(table.dtype)
        with _full_precision():
            distances = (
                _torch().addmm(halves, self._normal[part], table.T, alpha=-1)
                for part in self._parts(len(table))
            )
            return _torch().cat([chunk.argmin(dim=1) for chunk in distances])

    def totals(self, names: Tensor, count: int) -> Floats:
        """Sum up the vectors and weights of every name; see ``Vectors``."""
        totals = self._sent(np.zeros((count, self._rows.shape[1] + 1)))
        for part in self._parts(count):
            members = _torch().nn.functional.one_hot(names[part], count).double()
            ones = totals.new_ones((len(members), 1))
            vectors = _torch().cat((self._exact(part), ones), dim=1) * self._masses[part, None]
            totals += members.T @ vectors
        return np.asarray(host(totals))

    def distances(self, names: Tensor, candidates: Floats) -> Floats:
        """Measure every vector's squared distance to its candidate; see ``Vectors``."""
        table = self._sent(candidates)
        parts = self._parts(self._rows.shape[1])
        squares = [((self._exact(part) - table[names[part]]) ** 2).sum(dim=1) for part in parts]
        return np.asarray(host(_torch().cat(squares)))

    def error(self, names: Tensor, candidates: Floats) -> float:
        """Sum up the weighted squared distances; see ``Vectors``."""
        return self.units.error(self.weights, self.distances(names, candidates))

    def named(self, names: Ints) -> Tensor:
        """Bring names to the device; see ``Vectors``."""
        return self._sent(names)

    def field(self) -> TensorField:
        """Begin a seeding; see ``Vectors``."""
        return TensorField(self._normal, self._masses)

    def _sent(self, array: Floats | Ints) -> Tensor:
        return _torch().from_numpy(np.ascontiguousarray(array)).to(self._rows.device)

    def _exact(self, part: slice) -> Tensor:
        """Give vectors in normal units, in float64."""
        return self._rows[part].double() * self.units.scale - self._sent(self.units.origin)

    def _fitted(self, weights: Floats, orbit: Orbit) -> Units:
        scale = power_of_two(float(self._rows.abs().max()))
        parts = self._parts(self._rows.shape[1])
        sums = sum(host((self._rows[part].double() * scale).sum(dim=0)) for part in parts)
        return Units(scale, power_of_two(float(weights.max())), orbit.mean(sums / len(self)))

    def _parts(self, width: int) -> list[slice]:
        """Cut the vectors so that ``width`` numbers for each are not too many at a time."""
        step = max(1, _NUMBERS // width)
        return [slice(start, start + step) for start in range(0, len(self), step)]


def _torch() -> Any:
    return sys.modules["torch"]


@contextmanager
def _full_precision() -> Iterator[None]:
    """Keep products of float32 from being rounded to TensorFloat-32."""
    before = _torch().get_float32_matmul_precision()
    _torch().set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        _torch().set_float32_matmul_precision(before)
