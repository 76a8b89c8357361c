"""Time training against other loops: ``python -m clusterpress.bench.training``."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clusterpress.bench.rows import cores, read, write
from clusterpress.bench.training_cases import (
    FULL,
    QUICK,
    Bench,
    augmenting,
    loading,
    loops,
    precisions,
    steps,
)
from clusterpress.bench.training_report import report, verdicts
from clusterpress.durable import write_atomic
from clusterpress.runs.provenance import processor

OUTPUT = Path("results/bench/training.csv")
CASES: dict[str, Callable[[Bench], None]] = {
    case.__name__: case for case in (loops, steps, loading, augmenting, precisions)
}


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="Tiny sizes, to see that all works; no targets.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(CASES)}; other cases' rows stay in the file."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=f"CSV file; {OUTPUT}, and none for --quick.")
    ] = None,
) -> None:
    """Measure every case, print the targets, and write the CSV and a page."""
    unknown = sorted(set(only or ()) - set(CASES))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(CASES)}", param_hint="only")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{cores()} cores, {processor()}")
    bench = Bench(QUICK if quick else FULL, console, processor())
    path = output or (None if quick else OUTPUT)
    for name in only or CASES:
        CASES[name](bench)
        if path:
            write(path, bench.rows, keep=bool(only))
            write_atomic(path.with_suffix(".md"), report(read(path)).encode())
    rows = read(path) if path else bench.rows
    for line in ["Quick sizes: no target is measured."] if quick else verdicts(rows):
        console.print(str(line))


if __name__ == "__main__":
    typer.run(main)
