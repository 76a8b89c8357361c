"""Clusterers of vectors: ours and the peers', each imported only when it is used."""

import numpy as np

from clusterpress import clustering
from clusterpress.bench.data import Array
from clusterpress.bench.methods import Found, VectorMethod

_CHUNK = 2**16


def ours(points: Array, start: int | Array, iterations: int) -> Found:
    """Run our k-means: from greedy k-means++, or from the centres given."""
    k = _clusters(start)
    init = "kmeans++" if isinstance(start, int) else start
    rng = np.random.default_rng(0)
    found = clustering.kmeans(points, k, rng=rng, init=init, max_iterations=iterations)
    return Found(found.centers, found.labels)


def plain(points: Array, start: int | Array, iterations: int) -> Found:
    """Run our k-means from random points."""
    k, rng = _clusters(start), np.random.default_rng(0)
    found = clustering.kmeans(points, k, rng=rng, init="random", max_iterations=iterations)
    return Found(found.centers)


def invariant(points: Array, start: int | Array, iterations: int) -> Found:
    """Run our transform-invariant k-means with T = 8 from random points.

    Its centres are given in all their 8 forms, so that the nearest of them is what counts.
    """
    squares, rng = points.reshape(-1, 3, 3), np.random.default_rng(0)
    found = clustering.transform_invariant(
        squares, _clusters(start), transforms=8, rng=rng, init="random", max_iterations=iterations
    )
    turned = [np.rot90(found.centers, turns, axes=(1, 2)) for turns in range(4)]
    forms = np.concatenate([*turned, *(form[:, :, ::-1] for form in turned)])
    return Found(forms.reshape(-1, 9))


def sklearn(points: Array, start: int | Array, iterations: int) -> Found:
    """Run scikit-learn's Lloyd's: from greedy k-means++, or from the centres given."""
    from sklearn.cluster import KMeans

    k = _clusters(start)
    init = "k-means++" if isinstance(start, int) else start
    model = KMeans(k, init=init, n_init=1, max_iter=iterations, tol=0.0, random_state=0)
    found = model.fit(points)
    return Found(found.cluster_centers_, found.labels_)


def sklearn_mini_batch(points: Array, start: int | Array, iterations: int) -> Found:
    """Run scikit-learn's MiniBatchKMeans with its defaults: at most so many passes."""
    from sklearn.cluster import MiniBatchKMeans

    k = _clusters(start)
    found = MiniBatchKMeans(k, max_iter=iterations, random_state=0).fit(points)
    return Found(found.cluster_centers_, found.labels_)


def faiss_whole(points: Array, start: int | Array, iterations: int) -> Found:
    """Run faiss on all points, from random points or the centres given, and search labels."""
    import faiss

    k = _clusters(start)
    every = {"min_points_per_centroid": 1, "max_points_per_centroid": len(points)}
    model = faiss.Kmeans(points.shape[1], k, niter=iterations, seed=1, **every)
    model.train(points, init_centroids=None if isinstance(start, int) else start)
    return Found(np.asarray(model.centroids), model.index.search(points, 1)[1][:, 0])


def torch_gemm(points: Array, start: int | Array, iterations: int) -> Found:
    """Run Lloyd's as one writes it in torch: a GEMM and an argmin for every chunk of points."""
    import torch

    rows = torch.from_numpy(points)
    centers = rows[:start].clone() if isinstance(start, int) else torch.from_numpy(start).clone()
    labels = torch.empty(len(rows), dtype=torch.int64)
    for _ in range(iterations):
        halves = 0.5 * centers.square().sum(dim=1)
        for piece, chosen in zip(rows.split(_CHUNK), labels.split(_CHUNK), strict=True):
            torch.argmin(halves - piece @ centers.T, dim=1, out=chosen)
        sums = torch.zeros_like(centers).index_add_(0, labels, rows)
        counts = torch.bincount(labels, minlength=len(centers))
        centers = torch.where(counts[:, None] > 0, sums / counts[:, None], centers)
    return Found(centers.numpy())  # The labels are of the centres before these.


def _clusters(start: int | Array) -> int:
    return start if isinstance(start, int) else len(start)


_PACKAGES = ("clusterpress", "numpy", "numba")
OURS = VectorMethod("clusterpress kmeans", _PACKAGES, ours)
PLAIN = VectorMethod("clusterpress kmeans", _PACKAGES, plain)
INVARIANT = VectorMethod("clusterpress transform_invariant T=8", _PACKAGES, invariant)
SKLEARN = VectorMethod("scikit-learn KMeans", ("scikit-learn",), sklearn)
MINI_BATCH = VectorMethod("scikit-learn MiniBatchKMeans", ("scikit-learn",), sklearn_mini_batch)
FAISS = VectorMethod("faiss Kmeans", ("faiss-cpu",), faiss_whole)
TORCH = VectorMethod("torch GEMM + argmin", ("torch",), torch_gemm)
