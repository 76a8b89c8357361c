"""Clusterers of scalars: ours and the peers', each imported only when it is used."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from clusterpress import clustering
from clusterpress.bench.data import Array
from clusterpress.bench.methods import Found, ScalarMethod

_OURS = ("clusterpress", "numpy", "numba")


def optimal(values: Array, k: int) -> Found:
    """Run ours with labels, within its default tolerance of the optimum."""
    found = clustering.optimal(values, k)
    return Found(found.centers, found.labels)


def optimal_exact(values: Array, k: int) -> Found:
    """Run ours with labels, exactly."""
    found = clustering.optimal(values, k, tolerance=0.0)
    return Found(found.centers, found.labels)


def optimal_centers(values: Array, k: int) -> Found:
    """Run ours for the centres alone, within its default tolerance of the optimum."""
    return Found(clustering.optimal_centers(values, k).centers)


def sklearn_once(values: Array, k: int) -> Found:
    """Run Lloyd's from one k-means++ start."""
    return _sklearn(values, k, 1)


def sklearn_ten(values: Array, k: int) -> Found:
    """Run Lloyd's from ten k-means++ starts."""
    return _sklearn(values, k, 10)


def _sklearn(values: Array, k: int, starts: int) -> Found:
    from sklearn.cluster import KMeans

    found = KMeans(k, n_init=starts, random_state=0).fit(values[:, None])
    return Found(found.cluster_centers_, found.labels_)


def sklearn_mini_batch(values: Array, k: int) -> Found:
    """Run scikit-learn's MiniBatchKMeans with its defaults."""
    from sklearn.cluster import MiniBatchKMeans

    found = MiniBatchKMeans(k, random_state=0).fit(values[:, None])
    return Found(found.cluster_centers_, found.labels_)


def faiss_kmeans(values: Array, k: int) -> Found:
    """Run faiss on all points (it takes 256 a cluster otherwise), its 25 iterations, and search."""
    import faiss

    rows = np.ascontiguousarray(values[:, None])
    every = {"min_points_per_centroid": 1, "max_points_per_centroid": len(rows)}
    model = faiss.Kmeans(1, k, seed=1, **every)
    model.train(rows)
    return Found(np.asarray(model.centroids), model.index.search(rows, 1)[1][:, 0])


def kmeans1d(values: Array, k: int) -> Found:
    """Run kmeans1d: exact, SMAWK."""
    from kmeans1d import cluster

    found = cluster(values, k)
    return Found(np.array(found.centroids), np.array(found.clusters))


def ckmeans(values: Array, k: int) -> Found:
    """Run ckwrap, which wraps Ckmeans.1d.dp: exact, its linear method (the fastest)."""
    from ckwrap import ckmeans as cluster

    found = cluster(values, k)
    return Found(found.centers, found.labels)


def flash(values: Array, k: int) -> Found:
    """Run flash1dkmeans: k-means++ and Lloyd's on sorted values with prefix sums."""
    from flash1dkmeans import kmeans_1d

    return Found(*kmeans_1d(values, k, random_state=0))


def scipy_kmeans2(values: Array, k: int) -> Found:
    """Run scipy's kmeans2: 10 iterations (its default) from k of the values.

    Its own ``++`` start would hold a k x n matrix.
    """
    from scipy.cluster.vq import kmeans2

    return Found(*kmeans2(values, k, minit="points", rng=0))


def coremltools(values: Array, k: int) -> Found:
    """Run the k-means of coremltools' palettizer of torch weights.

    It is ``KMeans._cluster_weights_1d`` with the default ``KMeansConfig``, which
    ``PostTrainingPalettizer`` calls for every layer: weights are rounded to float16 and to 4
    digits, and their distinct values clustered exactly by its kmeans1d with weights. The
    palettizer around it (module, queue, writing the weights back) is left out.
    """
    import torch

    with _no_warnings():  # Of newer torch, and of Apple's libraries that Linux has not.
        from coremltools.optimize.torch._utils.k_means import KMeans, KMeansConfig

    setting = KMeansConfig(n_bits=k.bit_length() - 1)
    found: Any = KMeans._cluster_weights_1d(torch.from_numpy(values[None]), None, setting)
    return Found(found[0].numpy(), found[1].numpy())


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


# Few values are clustered exactly; only many warm up what many take.
EXACT = ScalarMethod("clusterpress optimal (exact)", _OURS, optimal_exact)
OPTIMAL = ScalarMethod("clusterpress optimal", _OURS, optimal, warm_up=2**20)
CENTERS = ScalarMethod("clusterpress optimal_centers", _OURS, optimal_centers, warm_up=2**20)
SKLEARN = ScalarMethod("scikit-learn KMeans n_init=1", ("scikit-learn",), sklearn_once)
SKLEARN_TEN = ScalarMethod("scikit-learn KMeans n_init=10", ("scikit-learn",), sklearn_ten)
KMEANS1D = ScalarMethod("kmeans1d", ("kmeans1d",), kmeans1d)
CKMEANS = ScalarMethod("ckwrap", ("ckwrap",), ckmeans)
COREML = ScalarMethod("coremltools palettizer", ("coremltools", "torch"), coremltools)
OURS = (EXACT, OPTIMAL, CENTERS)
PEERS = (
    SKLEARN,
    ScalarMethod("scikit-learn MiniBatchKMeans", ("scikit-learn",), sklearn_mini_batch),
    ScalarMethod("faiss Kmeans", ("faiss-cpu",), faiss_kmeans),
    KMEANS1D,
    CKMEANS,
    ScalarMethod("flash1dkmeans", ("flash1dkmeans", "numba"), flash),
    ScalarMethod("scipy kmeans2", ("scipy",), scipy_kmeans2),
    COREML,
)
