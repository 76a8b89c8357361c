"""Pages of tables before they are Markdown, LaTeX or CSV."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

COMMAND = "clusterpress results --records results/records.csv"


@dataclass(frozen=True)
class Table:
    """Rows of cells, all with the same columns; the columns are those of the first row."""

    rows: Sequence[Mapping[str, str]]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.rows[0]) if self.rows else []


@dataclass(frozen=True)
class Section:
    """A part of a page under a title: paragraphs and tables."""

    title: str
    parts: tuple[str | Table, ...]


@dataclass(frozen=True)
class Page:
    """A page: paragraphs, tables and sections, and the command that makes it again."""

    title: str
    parts: tuple[str | Table | Section, ...]
    command: str = COMMAND


def page(title: str, *parts: str | Table | Section, command: str = COMMAND) -> Page:
    """Give a page."""
    return Page(title, parts, command)


def section(title: str, *parts: str | Table) -> Section:
    """Give a section of a page."""
    return Section(title, parts)


def table(rows: Sequence[Mapping[str, str]]) -> Table:
    """Give a table."""
    return Table(rows)


def tables(name: str, of: Page) -> Iterator[tuple[str, str, Table]]:
    """Yield the page's tables that have rows: file name without its ending, title, table.

    Args:
        name: The page's file name without its ending; a section's table adds the section's.
        of: The page.
    """
    for part in of.parts:
        if isinstance(part, Table) and part.rows:
            yield name, of.title, part
        if isinstance(part, Section):
            inner = [each for each in part.parts if isinstance(each, Table) and each.rows]
            for each in inner:
                yield f"{name}.{_slug(part.title)}", f"{of.title}: {part.title}", each


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
