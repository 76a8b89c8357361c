"""The cases of vectors: an iteration of k-means, with and without transforms, and the whole."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from clusterpress.bench import data
from clusterpress.bench.data import Array, MissingDataError
from clusterpress.bench.methods import Found, VectorMethod, squared_error
from clusterpress.bench.run import Bench, Case, Scored
from clusterpress.bench.vector_peers import (
    FAISS,
    INVARIANT,
    MINI_BATCH,
    OURS,
    PLAIN,
    SKLEARN,
    TORCH,
)

ITERATION, WHOLE, TRANSFORMS = "kernels iteration", "kernels whole", "kernels transformed"
_ITERATIONS = 50
_MORE = 5
_SMALL = 5_000


def iteration(bench: Bench) -> None:
    """Time an iteration of Lloyd's from the same first centres."""
    points = data.kernels(bench.sizes.kernels)
    for k in (bench.sizes.many, bench.sizes.most):
        start = points[np.random.default_rng(0).choice(len(points), k, replace=False)]
        case = Case.of(ITERATION, points, k)
        methods = (OURS, SKLEARN, FAISS, TORCH)
        _add(bench, (_step(bench, case, method, points, start) for method in methods))


def transforms(bench: Bench) -> None:
    """Time an iteration with 8 transforms of few centres, and a plain one with many centres."""
    points = data.kernels(bench.sizes.invariant)
    methods = ((PLAIN, bench.sizes.many), (INVARIANT, bench.sizes.transformed))
    _add(
        bench,
        (_step(bench, Case.of(TRANSFORMS, points, k), method, points, k) for method, k in methods),
    )


def whole(bench: Bench) -> None:
    """Run k-means as a whole, seeds and labels included; also on a trained network's kernels."""
    sources: tuple[tuple[str, Callable[[], Array]], ...] = (
        (WHOLE, partial(data.kernels, bench.sizes.kernels)),
        ("ResNet-56 kernels", data.resnet56_kernels),
    )
    for name, source in sources:
        try:
            points = source()[: bench.sizes.trained]
        except MissingDataError as error:
            bench.console.print(f"{name} skipped: {error}")
            continue
        case = Case.of(name, points, bench.sizes.many)
        methods = (OURS, SKLEARN, MINI_BATCH, FAISS)
        _add(bench, (_run(bench, case, method, points, bench.sizes.many) for method in methods))


def _add(bench: Bench, scored: Iterable[Scored | None]) -> None:
    bench.add_scored([each for each in scored if each])


def _step(
    bench: Bench, case: Case, method: VectorMethod, points: Array, start: int | Array
) -> Scored | None:
    """Take an iteration as a part of what many take longer than one: set-up does not count."""
    warm_up = partial(method.fit, points[:_SMALL], start, 2)
    runs = []
    for count in (1, 1 + _MORE):
        work = partial(method.fit, points, start, count)
        found = bench.measure(case, f"{method.name}, iterations: {count}", work, warm_up)
        if not found:
            return None
        runs.append(found)
    (once, _), (often, result) = runs
    each = max(often.seconds - once.seconds, 0.0) / _MORE
    error = squared_error(points, Found(result.centers))
    return Scored(case, method.name, method.packages, replace(often, seconds=each), error)


def _run(bench: Bench, case: Case, method: VectorMethod, points: Array, k: int) -> Scored | None:
    work = partial(method.fit, points, k, _ITERATIONS)
    found = bench.measure(case, method.name, work, partial(method.fit, points[:_SMALL], k, 2))
    if not found:
        return None
    error = squared_error(points, found[1])
    return Scored(case, method.name, method.packages, found[0], error)
