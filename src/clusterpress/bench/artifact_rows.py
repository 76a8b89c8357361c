"""Rows of the benchmark of files, what they must show, and the page made of them."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from clusterpress.bench.bounds import Bound, line, table_head

OURS, FAST = "clusterpress, small", "clusterpress, fast"
ENCODE, DECODE, MEMORY, ENTROPY = 100.0, 200.0, 120.0, 1.001
"""MB of fp32 weights a second, % of the dense network, bits a symbol over the entropy."""

RUNS = "all rows of one network are of one run"


@dataclass(frozen=True)
class Row:
    """One number: what was measured, of which network, by which method, on which machine."""

    section: str
    network: str
    method: str
    value: float | None
    unit: str
    note: str = ""
    machine: str = ""


def page(rows: Sequence[Row]) -> str:
    """Give the targets with what was measured, then the rows, a table a section."""
    machines = "; ".join(sorted({row.machine for row in rows if row.machine}))
    lines = ["# The file against others", "", f"`make bench-artifact`; {RUNS}. {machines}".strip()]
    lines += ["", "## What it must show", "", *table_head(["", "what", "must show", "measured"])]
    lines += [line(bound.cells()) for bound in bounds(rows)]
    for section in dict.fromkeys(row.section for row in rows):
        head = ["network", "what", "value", "unit", "note"]
        lines += ["", f"## {section}", "", *table_head(head)]
        lines += [line(_cells(row)) for row in rows if row.section == section]
    return "\n".join([*lines, ""])


def _cells(row: Row) -> list[str]:
    value = "" if row.value is None else f"{row.value:,.4g}"
    value = f"{row.value:,.0f}" if row.unit == "bytes" and row.value else value
    return [row.network, row.method, value, row.unit, row.note]


def bounds(rows: Sequence[Row]) -> list[Bound]:
    """List what the rows must show; what was not measured is there too."""
    known = {(row.section, row.network, row.method): row.value for row in rows}
    of_sizes = dict.fromkeys(row.network for row in rows if row.section == "size")
    of_speeds = dict.fromkeys((row.network, row.method) for row in rows if row.section == "speed")
    found: list[Bound] = []
    for network in of_sizes:
        found += _sizes(network, rows, known)
    for network, method in of_speeds:
        found += _speeds(network, method, known)
    return found


_Known = dict[tuple[str, str, str], float | None]


def _sizes(network: str, rows: Sequence[Row], known: _Known) -> Iterator[Bound]:
    ours = known.get(("size", network, OURS))
    others = [
        row.value
        for row in rows
        if row.section == "size" and row.network == network and row.method not in (OURS, FAST)
    ]
    measured = [each for each in others if each is not None]
    smallest = min(measured) / ours if measured and ours else None
    yield Bound(f"{network}: the smallest other file over ours", smallest, 1.0, "x")
    for part in ("position", "index"):
        stored, ideal = (
            known.get(("symbols", network, f"{part}, {how}")) for how in ("stored", "entropy")
        )
        share = stored / ideal if stored is not None and ideal else None
        what = f"{network}: bits of a symbol over its entropy, {part}"
        yield Bound(what, share, ENTROPY, "x", at_least=False)


def _speeds(network: str, method: str, known: _Known) -> Iterator[Bound]:
    least = DECODE if method.startswith("decode") else ENCODE
    memory = known.get(("memory", network, method))
    if not method.startswith("load"):
        yield Bound(f"{network}: {method}", known["speed", network, method], least, "MB/s")
    what = f"{network}: {method}, memory beyond the network"
    yield Bound(what, memory, MEMORY, "% of it", at_least=False)


def table(rows: Sequence[Row]) -> str:
    """Give the rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return out.getvalue()


def read(path: Path) -> list[Row]:
    """Read the rows of a CSV that ``table`` gave."""
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return [Row(value=_number(line.pop("value")), **line) for line in lines]


def _number(text: str) -> float | None:
    """Give a whole number as it was written, without a decimal point."""
    return int(text) if text.isdecimal() else float(text) if text else None


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Put new rows in the place of all old ones of their networks; the rest stays."""
    names = {row.network for row in new}
    kept = [row for row in old if row.network not in names]
    sections = list(dict.fromkeys(row.section for row in (*kept, *new)))
    return sorted((*kept, *new), key=lambda row: sections.index(row.section))
