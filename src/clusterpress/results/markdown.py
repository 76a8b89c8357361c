"""Markdown pages of tables, each ending with the command that recomputes it."""

from collections.abc import Mapping, Sequence

COMMAND = "clusterpress results --records results/records.csv"
MEASURE = "clusterpress reproduce --data DATA --seeds 0,1,2"


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Give a Markdown table; the columns are those of the first row.

    Columns are not padded, so that a changed number changes one line of the file.
    """
    if not rows:
        return "Nothing measured yet."
    headers = list(rows[0])
    body = [[row[name].replace("|", r"\|").replace("\n", " ") for name in headers] for row in rows]
    return "\n".join(map(_line, [headers, ["---"] * len(headers), *body]))


def page(title: str, *sections: str, command: str = COMMAND) -> str:
    """Give a page: title, sections, and how to recompute it."""
    footer = (
        f"Generated from `results/records.csv`; recompute with `{command}`. The runs themselves: "
        f"`{MEASURE}` (`make reproduce-mnist`)."
    )
    return "\n\n".join([f"# {title}", *sections, footer]) + "\n"


def section(title: str, *parts: str) -> str:
    """Give a section of a page."""
    return "\n\n".join([f"## {title}", *parts])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
