"""Time the commands that read records: ``python -m clusterpress.bench.records``."""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clusterpress.bench.records_store import add, fill, place
from clusterpress.bench.rows import cores
from clusterpress.durable import write_atomic
from clusterpress.runs.known_names import known_names
from clusterpress.runs.provenance import processor

OUTPUT = Path("results/bench/records.csv")
COUNTS = (1_000, 10_000, 100_000)
SECONDS, MEGABYTES, PAGE = 5.0, 500.0, 6.0
"""What ``compare`` and ``report`` may take at 100,000 records, and the page's megabytes."""

FIRST, COMPARE, ADDED = "compare, nothing known", "compare", "compare, one record more"
FIRST_REPORT, REPORT = "report, details not known", "report"
TARGETS = ((COMPARE, SECONDS), (ADDED, SECONDS), (REPORT, SECONDS), (FIRST_REPORT, SECONDS))


# What waits for a process gets the peak of whoever started it, where that is more.
_MEASURED = """
import sys
from clusterpress.cli import main
try:
    main()
finally:
    from clusterpress.memory import peak_memory_bytes
    print(peak_memory_bytes(), file=sys.stderr)
"""


@dataclass(frozen=True)
class Row:
    """What one command took, in a process of its own.

    Attributes:
        records: How many the store has.
        command: Which command, and what it could know before.
        seconds: Median wall-clock time, with the start of Python.
        repeats: Number of runs.
        peak_mb: Most resident memory of any run, in 10**6 bytes.
        output_bytes: Of the page that it wrote; 0 where it writes none.
        machine: Cores and processor.
    """

    records: int
    command: str
    seconds: float
    repeats: int
    peak_mb: float
    output_bytes: int
    machine: str


def main(
    count: Annotated[list[int] | None, typer.Option(min=1, help="Records; several may be.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each command.")] = 3,
    stores: Annotated[
        Path | None, typer.Option(help="Folder where the stores are kept; none removes them.")
    ] = None,
    output: Annotated[Path, typer.Option(help="CSV file; the page lies beside it.")] = OUTPUT,
) -> None:
    """Measure every command on stores of several sizes; write the CSV and a page."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    rows: list[Row] = []
    for records in count or COUNTS:
        for row in _measured(records, repeats, stores):
            console.print(f"{records:,} {row.command}: {row.seconds:.2f} s, {row.peak_mb:.0f} MB")
            rows.append(row)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(output, _csv(rows).encode())
    write_atomic(output.with_suffix(".md"), page(rows).encode())


def _measured(records: int, repeats: int, stores: Path | None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        store = (stores or Path(folder)) / f"store-{records}"
        if not store.is_dir():
            fill(store, records, known_names())
        shutil.rmtree(store / "index", ignore_errors=True)
        for number in range(repeats):  # What an earlier use of a kept store added.
            shutil.rmtree(place(store, records + number), ignore_errors=True)
        yield from measured(store, records, repeats, Path(folder) / "report.html")


def measured(store: Path, records: int, repeats: int, html: Path) -> Iterator[Row]:
    """Measure the commands on a store of so many records that no index knows yet."""
    known_names()  # They are remembered from here on, as they are for who has used a command.
    report = ["report", "--output", str(html)]
    yield _row(records, FIRST, [_timed(store, ["compare"])])
    yield _row(records, COMPARE, [_timed(store, ["compare"]) for _ in range(repeats)])
    taken = []
    for number in range(repeats):
        add(store, records + number, f"added{number}", 0)
        taken.append(_timed(store, ["compare"]))
    yield _row(records, ADDED, taken)
    yield _row(records, FIRST_REPORT, [_timed(store, report)], html)
    yield _row(records, REPORT, [_timed(store, report) for _ in range(repeats)], html)


def _timed(store: Path, words: Sequence[str]) -> tuple[float, float]:
    """Give seconds and megabytes of a command in a process of its own.

    Raises:
        CalledProcessError: It failed.
    """
    command = [sys.executable, "-c", _MEASURED, *words]
    environment = {**os.environ, "CLUSTERPRESS_STORE": str(store)}
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
    )
    seconds = time.perf_counter() - start
    return seconds, int(done.stderr.split()[-1]) / 1e6


def _row(
    records: int, command: str, taken: Sequence[tuple[float, float]], page: Path | None = None
) -> Row:
    seconds = sorted(each for each, _ in taken)[len(taken) // 2]
    size = page.stat().st_size if page else 0
    machine = f"{cores()} cores, {processor()}"
    return Row(records, command, seconds, len(taken), max(m for _, m in taken), size, machine)


def _csv(rows: Iterable[Row]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    for row in rows:
        writer.writerow([f"{v:.4g}" if isinstance(v, float) else v for v in astuple(row)])
    return text.getvalue()


def page(rows: Sequence[Row]) -> str:
    """Give the targets with what was measured, then every row."""
    machines = "; ".join(sorted({row.machine for row in rows}))
    lines = [
        "# Commands that read records, on stores of many",
        "",
        "`make bench-records`: every command in a process of its own, its start included, on a "
        "store of made-up records of 10 kB: the suites' points at three seeds, then a sweep of "
        f"distinct points. Files are in the system's cache. {machines}.",
        "",
        "## Targets at 100,000 records",
        "",
        *_table(["", "what", "must show", "measured"], _verdicts(rows)),
        "",
        "## All",
        "",
        *_table(
            ["records", "command", "seconds", "runs", "peak MB", "page MB"],
            [
                [
                    f"{row.records:,}",
                    row.command,
                    f"{row.seconds:.2f}",
                    str(row.repeats),
                    f"{row.peak_mb:.0f}",
                    f"{row.output_bytes / 1e6:.2f}" if row.output_bytes else "",
                ]
                for row in rows
            ],
        ),
    ]
    return "\n".join([*lines, ""])


def _verdicts(rows: Iterable[Row]) -> Iterator[list[str]]:
    limits = dict(TARGETS)
    for row in rows:
        if row.records != max(COUNTS) or row.command not in limits:
            continue
        yield _verdict(f"{row.command}, seconds", limits[row.command], row.seconds)
        yield _verdict(f"{row.command}, peak MB", MEGABYTES, row.peak_mb)
        if row.output_bytes:
            yield _verdict(f"{row.command}, page MB", PAGE, row.output_bytes / 1e6)


def _verdict(what: str, limit: float, value: float) -> list[str]:
    return ["met" if value <= limit else "missed", what, f"at most {limit:g}", f"{value:.3g}"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


if __name__ == "__main__":
    typer.run(main)
