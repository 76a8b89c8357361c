"""The transforms of a vector under which k-means does not tell it from others."""

from dataclasses import dataclass

import numpy as np

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.errors import ConfigError

TRANSFORMS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Orbit:
    """A group of T permutations of the columns: transform t of a vector x is ``x[turns[t]]``.

    Attributes:
        turns: Shape (T, d); the first is the identity.
        back: Permutations that undo them, shape (T, d).
    """

    turns: Ints
    back: Ints

    @classmethod
    def of(cls, turns: Ints) -> "Orbit":
        """Make the group of these permutations."""
        return cls(turns, np.argsort(turns, axis=1))

    @property
    def size(self) -> int:
        """Number of transforms."""
        return len(self.turns)

    def variants(self, vectors: Floats) -> Floats:
        """Give all transforms of k vectors, shape (k, T, d)."""
        return vectors[:, self.turns]

    def candidates(self, vectors: Floats) -> Floats:
        """Give all transforms of k vectors in one list, shape (k T, d)."""
        return self.variants(vectors).reshape(-1, vectors.shape[1])

    def mean(self, vector: Floats) -> Floats:
        """Give the mean of a vector's transforms: no transform changes it."""
        middle: Floats = vector[self.turns].sum(axis=0) / self.size
        return middle

    def gathered(self, totals: Floats) -> tuple[Floats, Floats]:
        """Undo the transforms in sums over the members of every (k, t), and add them up over t.

        Args:
            totals: Sum of vectors and weight, shape (k T, d + 1).

        Returns:
            Sums, shape (k, d), and weights, shape (k,).
        """
        split = totals.reshape(-1, self.size, totals.shape[1])
        sums = split[:, 0, self.back[0]]
        for t in range(1, self.size):
            sums = sums + split[:, t, self.back[t]]
        return sums, split[:, :, -1].sum(axis=1)


def identity(width: int) -> Orbit:
    """Give the group of one transform, which changes nothing."""
    return Orbit.of(np.arange(width)[None])


def square(side: int, transforms: int) -> Orbit:
    """Give the transforms of flattened square kernels (Son et al. 2018, section 3.3).

    1: none; 2: and the horizontal flip; 4: and the vertical flip, and both; 8: these four, and
    these four after a rotation by 90 degrees.

    Raises:
        ConfigError: The number of transforms is none of these.
    """
    if transforms not in TRANSFORMS:
        raise ConfigError(f"transforms must be one of 1, 2, 4, 8, but it is {transforms}.")
    taps = np.arange(side * side).reshape(side, side)
    kernels = [*_flips(taps), *_flips(np.rot90(taps))]
    return Orbit.of(np.stack([kernel.ravel() for kernel in kernels[:transforms]]))


def _flips(kernel: Ints) -> tuple[Ints, ...]:
    return kernel, kernel[:, ::-1], kernel[::-1], kernel[::-1, ::-1]
