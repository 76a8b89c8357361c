"""Commands that read records: comparison, tables, report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from clusterpress.cli.options import Data, Records, console


def compare(data: Data = None, records: Records = None) -> None:
    """Print the comparison of our numbers with the papers'."""
    print_comparison(data or [], records)


def results(
    folder: Annotated[Path, typer.Option(help="Where tables and figures go.")] = Path("results"),
    readme: Annotated[Path, typer.Option(help="Whose block of results is kept.")] = Path(
        "README.md"
    ),
    records: Records = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is stale.")] = False,
    replace: Annotated[bool, typer.Option(help="Drop records that the store lacks.")] = False,
) -> None:
    """Write records.csv, tables, figures and the README's block from the records."""
    from clusterpress.results import comparison, stale, update_readme, write_results

    claims, names = _claims_and_names()
    if check:
        found = stale(claims, names, folder, readme)
        for sentence in found:
            console.print(f"stale: {sentence}")
        raise typer.Exit(1 if found else 0)
    frame = _frame(records)
    for path in write_results(frame, claims, names, folder, replace=replace):
        console.print(f"wrote {path}")
    update_readme(readme, comparison(_frame(folder / "records.csv"), claims, names))


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The HTML file; its folder must be there.")
    ] = Path("results/report.html"),
    records: Records = None,
) -> None:
    """Write one HTML page of all results, to be opened without a network."""
    from clusterpress.places import folder
    from clusterpress.report import write_report
    from clusterpress.results import load_papers
    from clusterpress.runs.suites import suite_points
    from clusterpress.runs.sweep import store_folder

    size = write_report(
        _frame(records),
        load_papers(folder("experiments")),
        _claims_and_names()[1],
        output,
        commands={(point.paper, point.name): point.overrides for point in suite_points()},
        store=store_folder() if records is None else None,
    )
    console.print(f"wrote {output}: {size:,} bytes")


def print_comparison(data: list[str], records: Path | None, extra: Sequence[str] = ()) -> None:
    """Print our numbers beside the papers', of some data sets or all."""
    from clusterpress.results import comparison
    from clusterpress.results import console as print_comparison

    compared = comparison(_frame(records, extra), *_claims_and_names(extra, data))
    if data:
        of_data = compared["data"].isin(data) | (
            compared["claim_data"].isin(data) & (compared["n"] == 0)
        )
        compared = compared[of_data]
    print_comparison(compared)


def _claims_and_names(extra: Sequence[str] = (), data: Sequence[str] = ()) -> tuple[Any, Any]:
    from clusterpress.places import folder
    from clusterpress.results import load_claims
    from clusterpress.runs.named import named_points

    return load_claims(folder("experiments")), named_points(extra, data)


def _frame(records: Path | None, extra: Sequence[str] = ()) -> Any:
    from clusterpress.results import read_csv, read_records
    from clusterpress.runs.sweep import store_folder

    return read_records(store_folder(extra)) if records is None else read_csv(records)
