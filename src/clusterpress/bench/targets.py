"""What the benchmark must show, and whether its rows show it."""

from collections.abc import Iterable, Iterator, Sequence

from clusterpress.bench.hierarchy_cases import AGGLOMERATIVE, SHARE
from clusterpress.bench.hierarchy_cases import OURS as AGGLOMERATE
from clusterpress.bench.hierarchy_cases import SCIPY as LINKAGE
from clusterpress.bench.rows import Row
from clusterpress.bench.run import Sizes
from clusterpress.bench.scalar_cases import ASSIGN, CURVE, HUGE, SCALARS, SORT, WHOLE_CURVE
from clusterpress.bench.scalar_peers import CENTERS, CKMEANS, COREML, KMEANS1D, OPTIMAL, SKLEARN
from clusterpress.bench.vector_cases import ITERATION, TRANSFORMS, WHOLE
from clusterpress.bench.vector_peers import FAISS, INVARIANT, OURS, PLAIN
from clusterpress.bench.vector_peers import SKLEARN as SKLEARN_VECTORS
from clusterpress.bench.verdicts import At, Target, Verdict, error_ratio, number, ratio


def verdicts(rows: Iterable[Row]) -> list[Verdict]:
    """Give the verdict on every target: met, missed or not measured."""
    known = list(rows)
    return [target.verdict(known) for target in TARGETS]


def _faster(what: str, ours: At, theirs: Sequence[At], times: float) -> Target:
    return Target(what, ratio(theirs, [ours]), times, at_least=True)


def _slower(what: str, ours: At, theirs: At, times: float) -> Target:
    return Target(what, ratio([ours], [theirs]), times)


def _error(what: str, at: At, limit: float) -> Target:
    value = number(at, lambda row: row.relative_error)
    return Target(f"{what}, error above the optimum", value, limit, unit="")


def _megabytes(what: str, at: At, limit: float) -> Target:
    value = number(at, lambda row: None if row.peak_bytes is None else row.peak_bytes / 1e6)
    return Target(f"{what}, memory beyond the data", value, limit, unit=" MB")


def _scalar_targets(k: int, error: float, sklearn: float, coremltools: float) -> Iterator[Target]:
    what = f"scalars, N = 1e6, K = {k}"
    optimal, centers, once, coreml = (
        At(SCALARS, method.name, FULL.scalars, k) for method in (OPTIMAL, CENTERS, SKLEARN, COREML)
    )
    yield _error(what, optimal, error)
    yield _faster(f"{what}, speed over scikit-learn n_init=1", optimal, [once], sklearn)
    yield _faster(f"{what}, speed over coremltools", optimal, [coreml], coremltools)
    if k == FULL.few:
        exact = [At(SCALARS, method.name, FULL.scalars, k) for method in (KMEANS1D, CKMEANS)]
        yield _faster(f"{what}, speed over the fastest exact library", optimal, exact, 40)
        yield _faster(
            f"{what}, centres alone, speed over scikit-learn n_init=1", centers, [once], 100
        )
        yield _faster(f"{what}, centres alone, speed over the fastest exact", centers, exact, 100)
        yield _faster(f"{what}, centres alone, speed over coremltools", centers, [coreml], 15)


def _huge_targets(k: int) -> Iterator[Target]:
    what = f"scalars, N = 1.03e8, K = {k}"
    centers, labels = (At(HUGE, method, FULL.huge, k) for method in (CENTERS.name, ASSIGN))
    yield _slower(
        f"{what}, centres, time over a sort", centers, At(HUGE, SORT, FULL.huge, None), 0.1
    )
    yield _error(f"{what}, centres", centers, 1e-4)
    yield _megabytes(f"{what}, centres", centers, 50)
    per_label = number(labels, lambda row: row.peak_bytes and row.peak_bytes / row.n)
    yield Target(f"{what}, labels, memory of each", per_label, 1.1, unit=" bytes")


def _curve_target() -> Target:
    curve, alone = (
        At(CURVE, name, FULL.scalars, FULL.many) for name in (WHOLE_CURVE, OPTIMAL.name)
    )
    return _slower("whole curve to K = 256, time over K = 256 alone", curve, alone, 1.3)


def _vector_targets() -> Iterator[Target]:
    for k in (FULL.many, FULL.most):
        ours, sklearn, faiss = (
            At(ITERATION, method.name, FULL.kernels, k) for method in (OURS, SKLEARN_VECTORS, FAISS)
        )
        yield _slower(f"kernels, an iteration, K = {k}, time over faiss", ours, faiss, 1.0)
        if k == FULL.many:
            yield _faster(
                f"kernels, an iteration, K = {k}, speed over scikit-learn", ours, [sklearn], 3
            )
    ours, sklearn = (
        At(WHOLE, method.name, FULL.kernels, FULL.many) for method in (OURS, SKLEARN_VECTORS)
    )
    yield Target(
        "kernels, whole, K = 256, error over scikit-learn", error_ratio(ours, sklearn), 1.0
    )
    yield _slower("kernels, whole, K = 256, time over scikit-learn", ours, sklearn, 0.1)
    invariant = At(TRANSFORMS, INVARIANT.name, FULL.invariant, FULL.transformed)
    plain = At(TRANSFORMS, PLAIN.name, FULL.invariant, FULL.many)
    yield _slower(
        "kernels, T = 8, K = 32, time over plain k-means with K = 256", invariant, plain, 1.5
    )


def _agglomerative_targets() -> Iterator[Target]:
    n, large = FULL.neurons[0], FULL.many_neurons[0]
    ours, by_scipy = (At(AGGLOMERATIVE, name, n, n // SHARE) for name in (AGGLOMERATE, LINKAGE))
    many = At(AGGLOMERATIVE, AGGLOMERATE, large, large // SHARE)
    yield _slower(
        "neurons, 2,048 x 4,608, time over GEMM distances + scipy linkage", ours, by_scipy, 1.2
    )
    yield Target(
        "neurons, 4,096 x 25,088, time", number(many, lambda row: row.seconds), 15, unit=" s"
    )
    yield _megabytes("neurons, 4,096 x 25,088", many, 1500)


FULL = Sizes()
TARGETS = (
    *_scalar_targets(FULL.few, 1e-5, 40, 6),
    *_scalar_targets(FULL.many, 1e-4, 150, 3),
    *_huge_targets(FULL.few),
    *_huge_targets(FULL.many),
    _curve_target(),
    *_vector_targets(),
    *_agglomerative_targets(),
)
