"""What a number must be, and whether it is; and tables of Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """What a number must be at least, or at most; ``value`` is None where it was not measured."""

    what: str
    value: float | None
    limit: float
    unit: str
    at_least: bool = True

    def cells(self) -> list[str]:
        """Give the judgement, what it is about, the bound and what was measured."""
        bound = f"at {'least' if self.at_least else 'most'} {self.limit:g} {self.unit}"
        if self.value is None:
            return ["not measured", self.what, bound, ""]
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        measured = f"{round(self.value, 4):.4g} {self.unit}"
        return ["met" if met else "missed", self.what, bound, measured]


def table_head(head: Sequence[str]) -> list[str]:
    """Give the first two lines of a table."""
    return [line(head), "|".join(["", *["---"] * len(head), ""])]


def line(cells: Iterable[str]) -> str:
    """Give a line of a table."""
    return f"| {' | '.join(cells)} |"
