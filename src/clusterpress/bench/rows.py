"""The benchmark's table: one row for every method on every case."""

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from importlib import metadata
from pathlib import Path

from rich.table import Table

from clusterpress.durable import write_atomic


@dataclass(frozen=True)
class Row:
    """What one method took on one case.

    Attributes:
        case: Name of the case.
        method: Name of the method.
        n: Number of scalars or vectors.
        d: Their dimension, 1 for scalars.
        k: Number of clusters; None where it does not matter.
        seconds: Median wall-clock time.
        relative_error: Squared error over the case's reference (the optimum, where it is known),
            minus 1; None where nothing is clustered.
        peak_bytes: Most memory beyond the input; None where the system does not tell.
        cores: Cores that the process may use.
        versions: The packages that do the work.
        repeats: Number of runs, of which ``seconds`` is the median.
    """

    case: str
    method: str
    n: int
    d: int
    k: int | None
    seconds: float
    relative_error: float | None
    peak_bytes: int | None
    cores: int
    versions: str
    repeats: int


COLUMNS = tuple(field.name for field in fields(Row))


def cores() -> int:
    """Give the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions(packages: Iterable[str]) -> str:
    """Name distributions with their versions."""
    return "; ".join(f"{name} {metadata.version(name)}" for name in packages)


def write(path: Path, rows: Iterable[Row], *, keep: bool = False) -> None:
    """Write the rows as CSV, whole or not at all.

    Args:
        path: The file; its folder is made.
        rows: What was measured.
        keep: Whether rows of other cases stay, where the file is there.
    """
    cases: dict[str, list[Row]] = {}
    for old in read(path) if keep and path.is_file() else ():
        cases.setdefault(old.case, []).append(old)
    measured = list(rows)
    for name in dict.fromkeys(row.case for row in measured):
        cases[name] = [row for row in measured if row.case == name]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_texts(row) for same in cases.values() for row in same)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.getvalue().encode())


def read(path: Path) -> list[Row]:
    """Read the rows of a CSV file that ``write`` wrote."""
    with path.open(newline="") as file:
        return [_row(line) for line in csv.DictReader(file)]


def _row(line: dict[str, str]) -> Row:
    return Row(
        case=line["case"],
        method=line["method"],
        n=int(line["n"]),
        d=int(line["d"]),
        k=int(line["k"]) if line["k"] else None,
        seconds=float(line["seconds"]),
        relative_error=float(line["relative_error"]) if line["relative_error"] else None,
        peak_bytes=int(line["peak_bytes"]) if line["peak_bytes"] else None,
        cores=int(line["cores"]),
        versions=line["versions"],
        repeats=int(line["repeats"]),
    )


def _texts(row: Row) -> list[str]:
    return [_text(value) for value in astuple(row)]


def _text(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(rows: Iterable[Row]) -> Table:
    """Show the rows, a section for every case and number of clusters."""
    shown = Table("case", "method", title="Clustering")
    for name in ("n", "d", "k", "seconds", "runs", "relative error", "peak MB"):
        shown.add_column(name, justify="right")
    before: tuple[str, int | None] | None = None
    for row in rows:
        if before not in (None, (row.case, row.k)):
            shown.add_section()
        before = (row.case, row.k)
        peak = None if row.peak_bytes is None else round(row.peak_bytes / 1e6, 1)
        error = None if row.relative_error is None else f"{row.relative_error:.1e}"
        numbers = (row.n, row.d, row.k, f"{row.seconds:.4g}", row.repeats, error, peak)
        shown.add_row(row.case, row.method, *("" if x is None else str(x) for x in numbers))
    return shown
