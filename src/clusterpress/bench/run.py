"""A run of the benchmark: how large the cases are, what was measured, what was left out."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self, TypeVar

from rich.console import Console

from clusterpress.bench.data import Array
from clusterpress.bench.measure import Took, measure
from clusterpress.bench.rows import Row, cores, versions

Result = TypeVar("Result")


@dataclass(frozen=True)
class Sizes:
    """How large the cases are, and how often they are run at most."""

    scalars: int = 1_000_000
    huge: int = 25_088 * 4_096  # VGG-16's first linear layer.
    kernels: int = 1_630_000
    invariant: int = 1_200_000
    neurons: tuple[int, int] = (2_048, 4_608)
    many_neurons: tuple[int, int] = (4_096, 25_088)
    few: int = 16
    many: int = 256
    most: int = 1_024
    transformed: int = 32
    trained: int | None = None  # All values of trained layers.
    repeats: int = 5


QUICK = Sizes(4_000, 6_000, 3_000, 2_000, (60, 30), (90, 40), 4, 16, 32, 4, 3_000, 1)


@dataclass(frozen=True)
class Case:
    """What the rows of a case have in common."""

    name: str
    n: int
    d: int
    k: int | None

    @classmethod
    def of(cls, name: str, points: Array, k: int | None) -> Self:
        """Name a case on points of shape (n,) or (n, d)."""
        return cls(name, len(points), 1 if points.ndim == 1 else points.shape[1], k)


@dataclass(frozen=True)
class Scored:
    """What a method took, and the squared error of its clustering."""

    case: Case
    method: str
    packages: tuple[str, ...]
    took: Took
    error: float


@dataclass
class Bench:
    """Measures methods, says how far it is, and keeps the rows."""

    sizes: Sizes
    console: Console
    rows: list[Row] = field(default_factory=list)

    def measure(
        self, case: Case, method: str, work: Callable[[], Result], warm_up: Callable[[], object]
    ) -> tuple[Took, Result] | None:
        """Measure ``work`` after ``warm_up``; where one of them fails, say why and give None.

        ``warm_up`` is the same work on a small input of the same type: it imports and compiles.
        """
        title = f"{case.name}, k = {case.k}: {method}" if case.k else f"{case.name}: {method}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Of iterations that are cut short on purpose.
                warm_up()
                took, result = measure(work, most=self.sizes.repeats)
        except Exception as error:  # Whatever a peer raises: the others are still measured.
            self.console.print(f"{title} skipped: {type(error).__name__}: {error}")
            return None
        self.console.print(f"{title} {took.seconds:.4g} s")
        return took, result

    def add(
        self, case: Case, method: str, packages: Iterable[str], took: Took, error: float | None
    ) -> None:
        """Keep a row; ``error`` is relative to the reference."""
        self.rows.append(
            Row(
                case=case.name,
                method=method,
                n=case.n,
                d=case.d,
                k=case.k,
                seconds=took.seconds,
                relative_error=error,
                peak_bytes=took.peak_bytes,
                cores=cores(),
                versions=versions(packages),
                repeats=took.repeats,
            )
        )

    def add_scored(self, scored: Sequence[Scored], reference: float | None = None) -> None:
        """Keep rows with errors relative to a reference, or to the best of them."""
        least = min((each.error for each in scored), default=0.0)
        least = least if reference is None else reference
        for each in scored:
            relative = each.error / least - 1 if least else None
            self.add(each.case, each.method, each.packages, each.took, relative)

    def yardstick(
        self, case: Case, method: str, work: Callable[[Array], object], on: Array
    ) -> None:
        """Measure something that is no clustering, for comparison."""
        found = self.measure(case, method, partial(work, on), partial(work, on[:5000]))
        if found:
            self.add(case, method, ("numpy",), found[0], None)
