"""The benchmark as a page of Markdown, from its rows alone."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from clusterpress.bench.rows import Row
from clusterpress.bench.targets import verdicts

COMMAND = "make bench-clustering"
_HEAD = ("method", "seconds", "runs", "relative error", "peak MB")


def report(rows: Sequence[Row]) -> str:
    """Give the targets with what was measured, then a table for every case."""
    return "\n".join([*_opening(rows), *_targets(rows), *_tables(rows), ""])


def _opening(rows: Sequence[Row]) -> Iterator[str]:
    yield "# Clustering against its peers"
    yield ""
    yield (
        f"`{COMMAND}` on {max(row.cores for row in rows)} cores, every method in one process on "
        "the same data: medians of up to 5 runs, compilation not counted. Errors are relative to "
        "the exact optimum where it was computed, else to the best of the case; in the case of "
        "VGG-16's fc6 to the certified lower bound. Memory is beyond the input."
    )
    packages = {package for row in rows for package in row.versions.split("; ") if package}
    yield ""
    yield f"Versions: {', '.join(sorted(packages, key=str.lower))}."


def _targets(rows: Sequence[Row]) -> Iterator[str]:
    yield from ("", "## Targets", "", "| | what | must show | measured |", "|---|---|---|---|")
    for verdict in verdicts(rows):
        yield f"| {verdict.judgement} | {verdict.what} | {verdict.bound} | {verdict.measured} |"


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    for (case, n, d, k), same in groupby(rows, lambda row: (row.case, row.n, row.d, row.k)):
        size = f"n = {n:,}" + (f", d = {d:,}" if d > 1 else "") + (f", k = {k:,}" if k else "")
        yield from ("", f"## {case}: {size}", "")
        yield f"| {' | '.join(_HEAD)} |"
        yield f"|{'---|' * len(_HEAD)}"
        for row in same:
            yield f"| {' | '.join(_cells(row))} |"


def _cells(row: Row) -> tuple[str, ...]:
    error = "" if row.relative_error is None else f"{row.relative_error:.1e}"
    peak = "" if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.1f}"
    return row.method, f"{row.seconds:.4g}", str(row.repeats), error, peak
