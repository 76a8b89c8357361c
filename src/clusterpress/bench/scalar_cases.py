"""The cases of scalars: synthetic and trained weights, a huge layer, the whole curve."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from clusterpress import clustering
from clusterpress.bench import data
from clusterpress.bench.data import Array, MissingDataError
from clusterpress.bench.methods import Found, ScalarMethod, squared_error
from clusterpress.bench.run import Bench, Case, Scored
from clusterpress.bench.scalar_peers import (
    CENTERS,
    CKMEANS,
    COREML,
    EXACT,
    KMEANS1D,
    OPTIMAL,
    OURS,
    PEERS,
    SKLEARN,
    SKLEARN_TEN,
)

SCALARS, HUGE, CURVE = "scalars", "VGG-16 fc6", "curve"
SORT, ASSIGN, WHOLE_CURVE = "numpy sort", "clusterpress assign", "clusterpress optimal_curve"
_HUGE_TOLERANCE = 1e-4  # What the case asks for.
_ON_LAYERS = (*OURS, SKLEARN, KMEANS1D, CKMEANS, COREML)


def scalars(bench: Bench) -> None:
    """Cluster heavy-tailed scalars with few and many clusters; the yardstick is a sort."""
    values = data.heavy_tailed(bench.sizes.scalars)
    _compare(bench, SCALARS, values, bench.sizes.few, (*OURS, SKLEARN_TEN, *PEERS))
    _compare(bench, SCALARS, values, bench.sizes.many, (*OURS, *PEERS))
    bench.yardstick(Case.of(SCALARS, values, None), SORT, np.sort, values)


def layers(bench: Bench) -> None:
    """Cluster the weights of really trained networks, where they are there."""
    layer: Callable[[], Array]
    for name, layer in (
        ("LeNet-5 fc1", data.lenet5_linear),
        ("ResNet-56 convolutions", data.resnet56_convolutions),
    ):
        try:
            values = layer()[: bench.sizes.trained]
        except MissingDataError as error:
            bench.console.print(f"{name} skipped: {error}")
            continue
        _compare(bench, name, values, bench.sizes.few, _ON_LAYERS)


def _compare(
    bench: Bench, name: str, values: Array, k: int, methods: Iterable[ScalarMethod]
) -> None:
    """Give errors relative to the exact optimum, which is among the methods."""
    case = Case.of(name, values, k)
    scored = _scored(bench, case, values, k, methods)
    optimum = [each.error for each in scored if each.method == EXACT.name]
    bench.add_scored(scored, optimum[0] if optimum else None)


def _scored(
    bench: Bench, case: Case, values: Array, k: int, methods: Iterable[ScalarMethod]
) -> list[Scored]:
    scored = []
    for method in methods:
        warm_up = partial(method.fit, values[: method.warm_up], k)
        found = bench.measure(case, method.name, partial(method.fit, values, k), warm_up)
        if found:
            error = squared_error(values, found[1])
            scored.append(Scored(case, method.name, method.packages, found[0], error))
    return scored


def huge(bench: Bench) -> None:
    """Cluster as many scalars as VGG-16's fc6 has: centres, then labels; the yardstick is a sort.

    No exact run is affordable there, so errors are relative to the certified lower bound of the
    optimum (error - gap): they are upper bounds.
    """
    values = data.heavy_tailed(bench.sizes.huge)
    for k in (bench.sizes.few, bench.sizes.many):
        _centers_then_labels(bench, Case.of(HUGE, values, k), values, k)
    bench.yardstick(Case.of(HUGE, values, None), SORT, np.sort, values)


def _centers_then_labels(bench: Bench, case: Case, values: Array, k: int) -> None:
    small = values[: CENTERS.warm_up]
    centers_of = partial(clustering.optimal_centers, k=k, tolerance=_HUGE_TOLERANCE)
    found = bench.measure(
        case, CENTERS.name, partial(centers_of, values), partial(centers_of, small)
    )
    if not found:
        return
    took, centers = found
    least = centers.error - centers.gap
    bench.add(case, CENTERS.name, CENTERS.packages, took, centers.error / least - 1)
    assign = partial(clustering.assign, values, centers.centers)
    labelled = bench.measure(
        case, ASSIGN, assign, partial(clustering.assign, small, centers.centers)
    )
    if labelled:
        error = squared_error(values, Found(centers.centers, labelled[1]))
        bench.add(case, ASSIGN, CENTERS.packages, labelled[0], error / least - 1)


def curve(bench: Bench) -> None:
    """Find the least error for every number of clusters, and for the largest alone.

    The curve's own error is the one it states for the largest number of clusters.
    """
    values, k = data.heavy_tailed(bench.sizes.scalars), bench.sizes.many
    case = Case.of(CURVE, values, k)
    scored = _scored(bench, case, values, k, (OPTIMAL, CENTERS))
    work = partial(clustering.optimal_curve, values, k)
    small = partial(clustering.optimal_curve, values[: OPTIMAL.warm_up], k)
    found = bench.measure(case, WHOLE_CURVE, work, small)
    if found:
        error = float(found[1][-1])
        scored.append(Scored(case, WHOLE_CURVE, OPTIMAL.packages, found[0], error))
    bench.add_scored(scored)
