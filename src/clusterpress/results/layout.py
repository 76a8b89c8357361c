"""Pages of tables before they are Markdown, LaTeX or CSV."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

COMMAND = "clusterpress results --records results/records.csv"


def measuring(data: str = "DATA", suite: str = "") -> str:
    """Give the command that makes the runs of a page: of all suites, or of one."""
    of_one = f" {suite}" if suite else ""
    return f"clusterpress reproduce{of_one} --data {data} --seeds 0,1,2"


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
    """A page: paragraphs, tables and sections, and the command that makes its runs."""

    title: str
    parts: tuple[str | Table | Section, ...]
    measure: str


def page(title: str, *parts: str | Table | Section, measure: str | None = None) -> Page:
    """Give a page; where nothing else is said, its runs are those of all suites."""
    return Page(title, parts, measure or measuring())


def section(title: str, *parts: str | Table) -> Section:
    """Give a section of a page."""
    return Section(title, parts)


def table(rows: Sequence[Mapping[str, str]]) -> Table:
    """Give a table."""
    return Table(rows)


def tables(name: str, of: Page) -> Iterator[tuple[str, str, Table]]:
    """Yield the page's tables that have rows: file name without its ending, title, table.

    No two have one name: of titles that read alike in a file's name, as ``a_b`` and ``a-b``, and
    of several tables under one title, the later ones are numbered from 2.

    Args:
        name: The page's file name without its ending; a section's table adds the section's.
        of: The page.
    """
    taken: set[str] = set()
    for place, title, each in _named(name, of):
        free = _free(place, taken)
        taken.add(free)
        yield free, title, each


def _named(name: str, of: Page) -> Iterator[tuple[str, str, Table]]:
    for part in of.parts:
        if isinstance(part, Table) and part.rows:
            yield name, of.title, part
        if isinstance(part, Section):
            inner = [each for each in part.parts if isinstance(each, Table) and each.rows]
            for each in inner:
                yield f"{name}.{_slug(part.title)}", f"{of.title}: {part.title}", each


def _free(name: str, taken: Collection[str]) -> str:
    """Give the name, numbered where it is taken."""
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(each for each in names if each not in taken)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
