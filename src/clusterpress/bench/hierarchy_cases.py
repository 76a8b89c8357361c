"""The cases of agglomeration: neurons merged into a quarter by Ward's linkage."""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from clusterpress import clustering
from clusterpress.bench import data
from clusterpress.bench.data import Array
from clusterpress.bench.methods import Found, squared_error
from clusterpress.bench.run import Bench, Case, Scored

AGGLOMERATIVE = "agglomerative"
OURS, SCIPY = "clusterpress agglomerate", "GEMM distances + scipy linkage"
_SMALL = 64
SHARE = 4

Merge = Callable[[Array, int], Found]


def agglomerative(bench: Bench) -> None:
    """Merge neurons with every method, then twice as many with many more features with ours."""
    methods: tuple[tuple[str, tuple[str, ...], Merge], ...] = (
        (OURS, ("clusterpress", "numpy", "scipy"), _ours),
        (SCIPY, ("numpy", "scipy"), _scipy),
        ("scikit-learn AgglomerativeClustering", ("scikit-learn",), _sklearn),
    )
    for shape, chosen in (
        (bench.sizes.neurons, methods),
        (bench.sizes.many_neurons, methods[:1]),
    ):
        points = data.neurons(*shape)
        k = len(points) // SHARE
        case = Case.of(AGGLOMERATIVE, points, k)
        scored = []
        for name, packages, merge in chosen:
            small = partial(merge, points[:_SMALL], _SMALL // SHARE)
            found = bench.measure(case, name, partial(merge, points, k), small)
            if found:
                error = squared_error(points, found[1])
                scored.append(Scored(case, name, packages, found[0], error))
        bench.add_scored(scored)


def _ours(points: Array, k: int) -> Found:
    found = clustering.agglomerate(points, k, linkage="ward")
    return Found(found.centers, found.labels)


def _scipy(points: Array, k: int) -> Found:
    """Merge as one writes it with numpy and scipy: all distances from one GEMM, then linkage."""
    products = points @ points.T
    norms = np.diag(products)
    squares = np.maximum(norms[:, None] + norms - 2 * products, 0)
    tree = linkage(np.sqrt(squares[np.triu_indices(len(points), 1)]), "ward")
    return _means(points, fcluster(tree, k, criterion="maxclust") - 1)


def _sklearn(points: Array, k: int) -> Found:
    from sklearn.cluster import AgglomerativeClustering

    return _means(points, AgglomerativeClustering(k, linkage="ward").fit(points).labels_)


def _means(points: Array, labels: Array) -> Found:
    """Give the means as well, as ours does."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sums = np.add.reduceat(points[order], starts, axis=0)
    return Found(sums / np.bincount(labels)[:, None], labels)
