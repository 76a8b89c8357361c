"""What a clustering gives back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Labels = npt.NDArray[Any]


@dataclass(frozen=True)
class Clusters:
    """A clustering of n scalars or vectors.

    Of a torch tensor, the arrays are tensors on the tensor's device.

    Attributes:
        centers: Centre of every cluster, float64, shape (k,), ascending, or (k, d).
        labels: Cluster of every scalar or vector in the given order, of ``label_type(k)``,
            shape (n,).
        error: Weighted sum of squared distances to the centres.
    """

    centers: Floats
    labels: Labels
    error: float


@dataclass(frozen=True)
class OptimalClusters(Clusters):
    """A clustering of n scalars that is optimal, or nearly so.

    Attributes:
        gap: Upper bound of ``error`` minus the least possible error; where the optimum was
            searched exactly, what float64's rounding allows.
    """

    gap: float


@dataclass(frozen=True)
class EntropyClusters(Clusters):
    """A clustering of n scalars that weighs squared error against bits.

    Attributes:
        bits: Ideal length of the entropy-coded labels, sum_c n_c log2(n / n_c), and what the
            centres were said to cost.
    """

    bits: float


@dataclass(frozen=True)
class OptimalCenters:
    """Centres alone of a clustering of n scalars that is optimal, or nearly so.

    Attributes:
        centers: Centre of every cluster, float64, shape (k,), ascending.
        error: Weighted sum of squared distances of all scalars to their clusters' centres, or an
            upper bound of it within ``gap``.
        gap: Upper bound of ``error`` minus the least possible error; where the optimum was
            searched exactly, what float64's rounding allows.
    """

    centers: Floats
    error: float
    gap: float


@dataclass(frozen=True)
class KernelClusters(Clusters):
    """A clustering of n square kernels up to transforms.

    Attributes:
        centers: Centre of every cluster, float64, shape (k, s, s).
        transforms: Which transform of its centre is nearest to every kernel, uint8, shape (n,).
    """

    transforms: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ProductClusters(Clusters):
    """A clustering of the parts of n vectors, each part by itself.

    Attributes:
        centers: Centres of every part, float64, shape (parts, k, d / parts); zeros beyond the
            last one, where a part has fewer than k distinct vectors.
        labels: Cluster of every part of every vector, of ``label_type(k)``, shape (n, parts).
        error: Weighted sum of squared distances, of all parts.
    """


def label_type(k: int) -> type[np.unsignedinteger[Any] | np.signedinteger[Any]]:
    """Give the smallest type for k labels that numpy and torch both index with or convert."""
    if k <= 1 << 8:
        return np.uint8
    return np.int16 if k <= 1 << 15 else np.int32
