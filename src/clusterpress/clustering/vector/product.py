"""Product quantisation: k-means on parts of vectors, each with centres of its own."""

from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from clusterpress.clustering.clusters import ProductClusters, label_type
from clusterpress.clustering.tensors import is_tensor
from clusterpress.clustering.vector.fit import Fit, fit
from clusterpress.clustering.vector.input import checked_rows, returned
from clusterpress.clustering.vector.options import Options, Settings, settings
from clusterpress.clustering.vector.orbits import identity
from clusterpress.errors import ConfigError, DataError


def product_quantize(
    points: npt.ArrayLike, k: int, *, parts: int, rng: Generator, **options: Unpack[Options]
) -> ProductClusters:
    """Cut vectors into equal parts and cluster each part by k-means.

    Jégou et al. 2011; of neural networks, Gong et al. 2014. Part p is the columns from p d / parts
    on. The parts are clustered in order, from one ``rng``; what ``kmeans`` says of time, memory,
    ties, empty clusters and duplicates holds for each of them.

    Args:
        points: Vectors, real and finite, shape (n, d); see ``kmeans``.
        k: Number of clusters of each part, from 1 to n.
        parts: Number of parts; it divides d.
        rng: Source of the random draws.
        **options: As of ``kmeans``; first centres have the shape (parts, k, d / parts).

    Raises:
        ConfigError: A setting is outside its range, or ``k`` is above n.
        DataError: A vector is not finite, ``points`` is not of shape (n, d), or the weights or
            first centres do not fit it.
    """
    rows = checked_rows(points)
    if parts < 1 or rows.shape[1] % parts:
        raise ConfigError(
            f"parts must divide the {rows.shape[1]} columns of the points, but it is {parts}."
        )
    width = rows.shape[1] // parts
    whole = identity(width)
    fits = [
        fit(_columns(rows, part * width, width), k, whole, rng, chosen)
        for part, chosen in enumerate(_settings(options, parts))
    ]
    return returned(_joined(fits, k, width), points)


def _settings(options: Options, parts: int) -> list[Settings]:
    """Give every part its own first centres, where they are given."""
    chosen = settings(options)
    if isinstance(chosen.init, str):
        return [chosen] * parts
    if np.ndim(chosen.init) != 3 or len(chosen.init) != parts:
        raise DataError(
            f"First centres must have the shape (parts, k, d / parts), with {parts} parts, but "
            f"theirs is {np.shape(chosen.init)}."
        )
    return [replace(chosen, init=centers) for centers in chosen.init]


def _columns(rows: Any, start: int, width: int) -> Any:
    columns = rows[:, start : start + width]
    return columns.contiguous() if is_tensor(columns) else np.ascontiguousarray(columns)


def _joined(fits: list[Fit], k: int, width: int) -> ProductClusters:
    centers = np.zeros((len(fits), k, width))
    for part, found in zip(centers, fits, strict=True):
        part[: len(found.centers)] = found.centers
    labels = np.stack([found.labels.astype(label_type(k)) for found in fits], axis=1)
    return ProductClusters(centers, labels, sum(found.error for found in fits))
