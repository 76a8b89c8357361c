"""How a target is stated, found in the rows and judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clusterpress.bench.rows import Row

Value = Callable[[Sequence[Row]], float | None]


@dataclass(frozen=True)
class Target:
    """Something that must show.

    Attributes:
        what: What it is about.
        value: Finds it in the rows; None where they do not hold it.
        limit: The bound.
        at_least: Whether the bound is the least, not the most.
        unit: Of the value.
    """

    what: str
    value: Value
    limit: float
    at_least: bool = False
    unit: str = "x"

    def verdict(self, rows: Sequence[Row]) -> "Verdict":
        """Judge by the rows."""
        bound = f"{'at least' if self.at_least else 'at most'} {self.limit:g}{self.unit}"
        value = self.value(rows)
        if value is None:
            return Verdict("not measured", self.what, bound, "")
        met = value >= self.limit if self.at_least else value <= self.limit
        return Verdict("met" if met else "missed", self.what, bound, f"{value:.4g}{self.unit}")


@dataclass(frozen=True)
class Verdict:
    """What must show, what was measured, and whether that is enough."""

    judgement: str
    what: str
    bound: str
    measured: str

    def __str__(self) -> str:
        """Say it in a line."""
        found = f", measured {self.measured}" if self.measured else ""
        return f"{self.judgement:12}  {self.what}: {self.bound}{found}"


@dataclass(frozen=True)
class At:
    """A row by its case, method, n and k."""

    case: str
    method: str
    n: int
    k: int | None

    def find(self, rows: Sequence[Row]) -> Row | None:
        """Give the row, or None where there is none."""
        asked = (self.case, self.method, self.n, self.k)
        found = (row for row in rows if (row.case, row.method, row.n, row.k) == asked)
        return next(found, None)


def _least_seconds(rows: Sequence[Row], places: Sequence[At]) -> float | None:
    seconds = [row.seconds for row in (at.find(rows) for at in places) if row]
    return min(seconds) if len(seconds) == len(places) else None


def ratio(over: Sequence[At], under: Sequence[At]) -> Value:
    """Divide seconds by seconds, of the fastest where there are several; all must be there."""

    def value(rows: Sequence[Row]) -> float | None:
        upper, lower = _least_seconds(rows, over), _least_seconds(rows, under)
        return None if upper is None or not lower else upper / lower

    return value


def number(at: At, of: Callable[[Row], float | None]) -> Value:
    """Take a number from a row."""

    def value(rows: Sequence[Row]) -> float | None:
        row = at.find(rows)
        return None if row is None else of(row)

    return value


def error_ratio(ours: At, theirs: At) -> Value:
    """Divide squared errors, which rows of a case hold relative to the same reference."""

    def value(rows: Sequence[Row]) -> float | None:
        pair = [row.relative_error for row in (ours.find(rows), theirs.find(rows)) if row]
        known = [1.0 + error for error in pair if error is not None]
        return known[0] / known[1] if len(known) == len((ours, theirs)) else None

    return value
