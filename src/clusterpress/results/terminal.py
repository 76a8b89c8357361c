"""The comparison on the terminal."""

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clusterpress.results.cells import Cells, measured_cells, missing_cells

PIPE_WIDTH = 200


def console(compared: pd.DataFrame, to: Console | None = None) -> None:
    """Print the same comparison as ``results/tables/comparison.md``.

    Args:
        compared: What ``comparison`` gave.
        to: Where to print; the standard output by default, 200 columns wide where it is no
            terminal.
    """
    to = to or standard()
    for data, rows in compared[compared["n"] > 0].groupby("data"):
        to.print(_table(f"Measured on {data}", measured_cells(rows)))
    if not (compared["n"] > 0).any():
        to.print("Nothing measured yet.")
    missing = missing_cells(compared)
    if missing:
        to.print(_table("Not run", missing))


def standard() -> Console:
    """Give the standard output; it is 200 columns wide where it is no terminal."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=PIPE_WIDTH)


def _table(title: str, rows: list[Cells]) -> Table:
    printed = Table(title=title, title_justify="left", show_lines=True)
    for name in rows[0]:
        printed.add_column(name, overflow="fold")
    for row in rows:
        printed.add_row(*(escape(cell) for cell in row.values()))
    return printed
