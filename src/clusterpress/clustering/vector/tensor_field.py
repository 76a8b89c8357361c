"""The state of a seeding on torch tensors."""

import sys
from typing import Any

import numpy as np

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.tensors import host

Tensor = Any  # A torch.Tensor.

_CHUNK = 2**12  # Vectors whose potentials are kept as one sum.
_NUMBERS = 2**22  # Distances held at a time.


class TensorField:
    """Distances of vectors on a device to the nearest seed; see ``Field``.

    Sums of chunks of 4,096 vectors go to the host, and of the chunks that draws fall into the
    distances: what a draw depends on is never summed by the device's scans, whose order varies.
    """

    def __init__(self, vectors: Tensor, masses: Tensor) -> None:
        spare = -len(vectors) % _CHUNK
        pad = sys.modules["torch"].nn.functional.pad
        self._size = len(vectors)
        self._vectors = pad(vectors, (0, 0, 0, spare))
        self._shares = pad(masses, (0, spare))
        self._masses = self._shares  # Weight by squared distance to the nearest seed.
        self._nearest = sys.modules["torch"].full_like(self._vectors[:, 0], np.inf)
        self._closer = self._nearest[:, None]

    def draw(self, uniforms: Floats) -> Ints:
        """Draw places of vectors; see ``Field``."""
        sums = np.asarray(host(self._masses.view(-1, _CHUNK).sum(dim=1)))
        cumulative = np.cumsum(sums)
        targets = uniforms * cumulative[-1]
        chunks = np.searchsorted(cumulative, targets, side="right").clip(max=sums.size - 1)
        rests = targets - (cumulative - sums)[chunks]
        return np.array([self._place(*where) for where in zip(chunks, rests, strict=True)])

    def _place(self, chunk: int, rest: float) -> int:
        masses = host(self._masses[chunk * _CHUNK : (chunk + 1) * _CHUNK])
        place = chunk * _CHUNK + np.searchsorted(masses.cumsum(), rest, side="right")
        return min(int(place), (chunk + 1) * _CHUNK - 1, self._size - 1)

    def potentials(self, candidates: Floats) -> Floats:
        """Measure candidates; see ``Field``."""
        count, transforms, width = candidates.shape
        torch = sys.modules["torch"]
        flat = np.ascontiguousarray(candidates.reshape(-1, width))
        table = torch.from_numpy(flat).to(self._vectors)
        squares = [
            torch.cdist(part, table, compute_mode="donot_use_mm_for_euclid_dist").square()
            for part in self._vectors.split(max(1, _NUMBERS // len(table)))
        ]
        least = torch.cat([part.view(-1, count, transforms).amin(dim=2) for part in squares])
        self._closer = torch.minimum(self._nearest[:, None], least)
        remaining = (self._closer.double() * self._shares[:, None]).sum(dim=0)
        return np.asarray(host(remaining))

    def take(self, choice: int) -> None:
        """Make one of the latest candidates a seed; see ``Field``."""
        self._nearest = self._closer[:, choice].contiguous()
        self._masses = self._nearest.double() * self._shares
