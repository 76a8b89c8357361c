"""Columns of p-values beside columns of changes, corrected together over the whole table."""

from collections.abc import Mapping, Sequence

from clusterpress.results.statistics import Summary, describe_p, holm, p_value

Cells = dict[str, str]
WORDS = (
    "p (Holm) is of the t-test over seeds that the change is 0, corrected by Holm's method over "
    "all changes of this table that have n ≥ 2 and seeds that differ, or that are 0 for each seed."
)


def with_p(rows: Sequence[Cells], changes: Mapping[str, Sequence[Summary]]) -> list[Cells]:
    """Put a column ``p (Holm)`` after each column of changes.

    Args:
        rows: The table; a column of ``changes`` that it lacks gets none.
        changes: Column -> its changes, one a row; of n = 0 where there is none.
    """
    kept = {name: column for name, column in changes.items() if rows and name in rows[0]}
    values = iter(holm(p_value(each) for column in kept.values() for each in column))
    words = {name: [describe_p(next(values)) for _ in column] for name, column in kept.items()}
    return [_beside(row, words, number) for number, row in enumerate(rows)]


def _beside(row: Cells, words: Mapping[str, Sequence[str]], number: int) -> Cells:
    cells: Cells = {}
    for name, text in row.items():
        cells[name] = text
        if name in words:
            cells[f"p (Holm), {name}"] = words[name][number]
    return cells
