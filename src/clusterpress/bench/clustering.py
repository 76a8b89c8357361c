"""Time clustering against its peers: ``python -m clusterpress.bench.clustering``."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clusterpress.bench.hierarchy_cases import agglomerative
from clusterpress.bench.report import report
from clusterpress.bench.rows import cores, read, table, write
from clusterpress.bench.run import QUICK, Bench, Sizes
from clusterpress.bench.scalar_cases import curve, huge, layers, scalars
from clusterpress.bench.targets import verdicts
from clusterpress.bench.vector_cases import iteration, transforms, whole
from clusterpress.durable import write_atomic

_FILE_WIDTH = 150
OUTPUT = Path("results/bench/clustering.csv")
CASES: dict[str, Callable[[Bench], None]] = {
    case.__name__: case
    for case in (scalars, layers, huge, curve, iteration, whole, transforms, agglomerative)
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
    """Measure every case, print the table and the targets, and write the CSV and a page."""
    unknown = sorted(set(only or ()) - set(CASES))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(CASES)}", param_hint="only")
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(f"{cores()} cores, {platform.platform()}, Python {platform.python_version()}")
    bench = Bench(QUICK if quick else Sizes(), console)
    path = output or (None if quick else OUTPUT)
    for name in only or CASES:
        CASES[name](bench)
        if path:
            write(path, bench.rows, keep=bool(only))
            write_atomic(path.with_suffix(".md"), report(read(path)).encode())
    console.print(table(bench.rows))
    rows = read(path) if path else bench.rows
    for line in ["Quick sizes: no target is measured."] if quick else verdicts(rows):
        console.print(str(line))


if __name__ == "__main__":
    typer.run(main)
