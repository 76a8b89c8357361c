"""The plan, point by point."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from clusterpress.runs.duration import duration
from clusterpress.runs.forecast import Forecast


def forecast_table(found: Forecast, titles: Sequence[str]) -> Table:
    """Say of every point how many of its runs are done, and what the others train.

    A stage that several points share is counted for the first of them.

    Args:
        found: What ``forecast`` gave.
        titles: The points' names in the same order.
    """
    table = Table()
    table.add_column("point", overflow="fold")  # A name that is cut short names nothing.
    for name in ("runs", "cached", "to do", "to train", "time"):
        table.add_column(name, justify="right")
    of_each = len(found.each) // max(len(titles), 1)
    counted: set[str] = set()
    for number, title in enumerate(titles):
        runs = found.each[number * of_each : (number + 1) * of_each]
        own = {stage for run in runs for stage in run.stages} - counted
        counted |= own
        done = sum(run.done for run in runs)
        seconds = sum(found.work[stage] for stage in own)
        cells = (str(of_each), str(done), str(of_each - done), str(len(own)))
        table.add_row(escape(title), *cells, duration(seconds) if own else "–")
    return table
