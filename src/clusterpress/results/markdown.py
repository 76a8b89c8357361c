"""Pages as Markdown, each ending with the command that recomputes it."""

from collections.abc import Mapping, Sequence

from clusterpress.results.layout import COMMAND, Page, Section, Table


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Give a Markdown table; the columns are those of the first row.

    Columns are not padded, so that a changed number changes one line of the file.
    """
    if not rows:
        return "Nothing measured yet."
    headers = list(rows[0])
    body = [[row[name].replace("|", r"\|").replace("\n", " ") for name in headers] for row in rows]
    return "\n".join(map(_line, [headers, ["---"] * len(headers), *body]))


def markdown(page: Page) -> str:
    """Give a page: title, sections, and how to recompute it."""
    footer = (
        f"Generated from `results/records.csv`; recompute with `{COMMAND}`. The runs "
        f"themselves: `{page.measure}`."
    )
    return "\n\n".join([f"# {page.title}", *map(_part, page.parts), footer]) + "\n"


def _part(part: str | Table | Section) -> str:
    if isinstance(part, Table):
        return markdown_table(part.rows)
    if isinstance(part, Section):
        return "\n\n".join([f"## {part.title}", *map(_part, part.parts)])
    return part


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
