"""The commands; each looks up its words and calls what does the work."""

import sys

import typer
from rich.console import Console

from clusterpress.cli import experiments, files, records, searches, store, widths
from clusterpress.cli.options import FREE
from clusterpress.errors import ClusterpressError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reproducible experiments for papers that compress networks by clustering.",
)
app.command("list")(experiments.list_)
app.command(context_settings=FREE)(experiments.validate)
app.command(context_settings=FREE)(experiments.run)
app.command(context_settings=FREE)(widths.widths)
for command in (
    experiments.reproduce,
    store.status,
    store.clean,
    records.compare,
    records.results,
    records.report,
    searches.pareto,
    files.evaluate,
    files.inspect,
    files.compress,
    files.decompress,
    files.export,
):
    app.command()(command)


def main() -> None:
    """Run the command line; a known error is one sentence and exit code 1."""
    try:
        app()
    except ClusterpressError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]clusterpress:[/] {type(error).__name__}: ", end=""
        )
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(str(error))
        sys.exit(1)
