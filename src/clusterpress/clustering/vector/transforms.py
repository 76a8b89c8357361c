"""k-means on square kernels that does not tell a kernel from its flips and rotations."""

from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from clusterpress.clustering.clusters import KernelClusters
from clusterpress.clustering.tensors import is_tensor
from clusterpress.clustering.vector.fit import fit
from clusterpress.clustering.vector.input import checked_rows, returned
from clusterpress.clustering.vector.options import Options, settings
from clusterpress.clustering.vector.orbits import square
from clusterpress.errors import DataError


def transform_invariant(
    kernels: npt.ArrayLike, k: int, *, transforms: int, rng: Generator, **options: Unpack[Options]
) -> KernelClusters:
    """Cluster square kernels up to flips and rotations (Son et al. 2018, section 3.3).

    As ``kmeans``, with all T transforms of all centres as candidates: a kernel w is nearest to the
    centre mu and transform t with the least |w - T_t(mu)|^2, and a centre is the mean of its
    members, each transformed back. Distances while seeding are those to the nearest transform
    too. An iteration takes O(n k T d) time, and the memory of ``kmeans`` with k T clusters: the
    kernels themselves are never transformed. One transform is plain k-means, to the bit.

    Ties go to the lowest label, then to the lowest transform. Where there are no more than k
    distinct kernels up to transforms, they are the centres: of each, the transform that is first
    in lexicographic order.

    Args:
        kernels: Finite, shape (n, s, s).
        k: Number of clusters, from 1 to n.
        transforms: T. 1: none; 2: and the horizontal flip; 4: and the vertical flip, and both;
            8: these four, and these four after a rotation by 90 degrees.
        rng: Source of the random draws.
        **options: As of ``kmeans``; first centres have the shape (k, s, s).

    Raises:
        ConfigError: A setting is outside its range, or ``k`` is above n.
        DataError: A kernel is not finite, ``kernels`` is not of shape (n, s, s), or the weights or
            first centres do not fit it.
    """
    rows, side = _rows(kernels)
    found = fit(rows, k, square(side, transforms), rng, settings(options))
    centers = found.centers.reshape(-1, side, side)
    return returned(KernelClusters(centers, found.labels, found.error, found.transforms), kernels)


def transform(kernels: npt.NDArray[Any], transforms: npt.ArrayLike) -> npt.NDArray[Any]:
    """Transform kernels, each by the transform of its number.

    Args:
        kernels: Shape (n, s, s).
        transforms: Numbers of ``KernelClusters.transforms``, shape (n,).

    Returns:
        The kernels that ``centers[labels]`` and ``transforms`` decode to, shape (n, s, s).
    """
    turns = square(kernels.shape[-1], 8).turns[np.asarray(transforms)]
    flat = np.take_along_axis(kernels.reshape(len(kernels), -1), turns, axis=1)
    return flat.reshape(kernels.shape)


def square_turns(side: int) -> npt.NDArray[np.int64]:
    """Give the transforms as permutations of a flattened kernel: ``kernel[turns[t]]``.

    Args:
        side: Taps of a side.

    Returns:
        Shape (8, side * side), in the order of ``KernelClusters.transforms``.
    """
    return square(side, 8).turns


def _rows(kernels: Any) -> tuple[Any, int]:
    given = kernels if is_tensor(kernels) else np.asarray(kernels)
    if given.ndim != 3 or given.shape[1] != given.shape[2]:
        raise DataError(
            f"Kernels to cluster must have the shape (n, s, s), but theirs is {tuple(given.shape)}."
        )
    side = int(given.shape[1])
    return checked_rows(given.reshape(len(given), side * side)), side
