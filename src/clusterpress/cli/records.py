"""Commands that read records: comparison, tables, report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from clusterpress.cli.options import Data, Records, console


def compare(data: Data = None, records: Records = None) -> None:
    """Print the comparison of our numbers with the papers'."""
    print_comparison(data or [], records)


def results(  # noqa: PLR0913, PLR0917 - an option each
    folder: Annotated[Path, typer.Option(help="Where tables and figures go.")] = Path("results"),
    readme: Annotated[
        Path | None, typer.Option(help="Whose block of results is kept; README.md where it is.")
    ] = None,
    records: Records = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is stale.")] = False,
    formats: Annotated[str, typer.Option(help="Of figures: svg,pdf writes PDFs too.")] = "svg",
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop records of the folder that the store lacks.")
    ] = False,
    add: Annotated[
        bool, typer.Option("--add", help="Keep them: runs of other machines, of other stores.")
    ] = False,
) -> None:
    """Write records.csv, tables, figures and the README's block from the records."""
    from clusterpress.results import comparison, stale, together, update_readme, write_results

    claims, names = _claims_and_names()
    if readme is None and Path("README.md").is_file():
        readme = Path("README.md")
    if check:
        found = stale(claims, names, folder, readme)
        for sentence in found:
            console.print(f"stale: {sentence}")
        raise typer.Exit(1 if found else 0)
    if add and replace:
        raise typer.BadParameter("--add keeps what --replace drops: give one of them")
    frame = _frame(records, facts=True)
    if add and (folder / "records.csv").is_file():
        frame = together(frame, _frame(folder / "records.csv", facts=True))
    kinds = formats.split(",")
    for path in write_results(frame, claims, names, folder, replace=replace, formats=kinds):
        console.print(f"wrote {path}")
    if readme is not None:
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

    size = write_report(
        _frame(records),
        load_papers(folder("experiments")),
        _claims_and_names()[1],
        output,
        commands={(point.paper, point.name): point.overrides for point in suite_points()},
        store=_store() if records is None else None,
    )
    console.print(f"wrote {output}: {size:,} bytes")


def print_comparison(data: list[str], records: Path | None, extra: Sequence[str] = ()) -> None:
    """Print our numbers beside the papers', of some data sets or all."""
    from clusterpress.results import comparison
    from clusterpress.results import console as print_comparison

    compared = comparison(_frame(records, extra), *_claims_and_names(extra))
    if data:
        of_data = compared["data"].isin(data) | (
            compared["claim_data"].isin(data) & (compared["n"] == 0)
        )
        compared = compared[of_data]
    print_comparison(compared)


def _claims_and_names(extra: Sequence[str] = ()) -> tuple[Any, Any]:
    from clusterpress.places import folder
    from clusterpress.results import load_claims
    from clusterpress.runs.known_names import known_names

    return load_claims(folder("experiments")), known_names(extra)


def _frame(records: Path | None, extra: Sequence[str] = (), *, facts: bool = False) -> Any:
    from clusterpress.results import read_csv, read_records

    return read_csv(records) if records else read_records(_store(extra), facts=facts)


def _store(extra: Sequence[str] = ()) -> Path:
    """Give the folder of the store; Hydra, which takes a second, is asked only for overrides."""
    from clusterpress.places import store

    if not extra:
        return store()
    from clusterpress.runs.sweep import store_folder

    return store_folder(extra)
