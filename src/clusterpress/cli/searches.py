"""Commands of searches: run one, show what it found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from clusterpress.cli.options import StoreFolder, console


def search(overrides: Sequence[str]) -> int:
    """Search, print what nothing beats, and give the exit code."""
    from clusterpress.runs.finished import report_failures
    from clusterpress.sweeps.search import run_search

    searched = run_search(overrides)
    show(searched.study, searched.store, None)
    return report_failures(searched.ended)


def pareto(
    study: Annotated[str, typer.Argument(help="Its name: hydra.sweeper.study of the search.")],
    store: StoreFolder = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for picture and tables.")
    ] = None,
) -> None:
    """Show the trials of a search that no other beats in validation error and file size."""
    from clusterpress.schema import default_store
    from clusterpress.sweeps.engine import sweeper_of

    sweeper_of(["hydra/sweeper=optuna"])  # Says how to install what it needs.
    show(study, store or default_store(), output)


def show(study: str, store: Path, output: Path | None) -> None:
    """Print the front of a study; write it to a folder, where one is given."""
    from clusterpress.results import read_records
    from clusterpress.results.pareto import print_front
    from clusterpress.results.pareto_figure import write_front
    from clusterpress.sweeps.study import tried

    trials, records = tried(store, study), read_records(store)
    print_front(study, trials, records)
    if output is not None:
        for path in write_front(study, trials, records, output):
            console.print(f"wrote {path}")
