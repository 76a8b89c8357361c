"""What all figures share: their style, their axes, and SVG that is the same every time."""

import io
from typing import Any

import pandas as pd
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from clusterpress.results.statistics import BASELINE

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "clusterpress",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


FORMATS = {"svg": "Date", "pdf": "CreationDate"}
"""The formats of figures, and what each calls its date."""


def drawn(figure: Figure, form: str = "svg") -> bytes:
    """Give the figure as a file without a date, so that equal figures are equal files."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, metadata={FORMATS[form]: None})
    return buffer.getvalue()


def plain_numbers(axis: Axis) -> None:
    """Label a logarithmic axis with 1, 2, 5, 10, ... instead of powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def baseline_lines(runs: pd.DataFrame) -> list[tuple[float, str | None]]:
    """Give the errors at which to draw the runs' baselines, and the label of each line.

    One is the mean over the seeds; where one seed has several, each has its own.
    """
    own = runs[BASELINE].drop_duplicates()
    errors = own["baseline_top1_error"]
    if not own["baseline_seed"].duplicated().any():
        return [(float(errors.mean()), "our baseline")]
    first, *others = sorted(set(errors))
    return [(first, "our baselines, of several kinds"), *((error, None) for error in others)]
