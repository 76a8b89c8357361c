"""The fuzzer's table, and the page that is made of it."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import get_type_hints

from clusterpress import artifact, codes
from clusterpress.bench.fuzz_trial import BYTES_PER_ELEMENT, allowed_bytes
from clusterpress.durable import write_atomic

GOAL = 1_000_000


@dataclass(frozen=True)
class RoundRow:
    """What became of the files of one round, which is one process.

    Attributes:
        seed: Of the run.
        number: Of the round in its run.
        reader: Digest of the sources that were tried, see ``reader_digest``.
        tried: Mutated files; the corpus that a round begins with is not counted.
        distinct: Of these, different from all others of the round.
        read: Of these, read as what they say.
        loaded: Of these, loaded into a network.
        built: Of these, their own recorded network was built and filled.
        findings: Files that were neither refused in one sentence nor read as what they say.
        edges: Branches of the reader that the corpus reaches at the end of the round.
        corpus: Files that reach something which no smaller file does.
        seconds: Wall-clock time, imports included.
        peak_bytes: Most memory beyond what the process had before its first file.
        machine: Name of the processor.
    """

    seed: int
    number: int
    reader: str
    tried: int
    distinct: int
    read: int
    loaded: int
    built: int
    findings: int
    edges: int
    corpus: int
    seconds: float
    peak_bytes: int
    machine: str


def reader_digest() -> str:
    """Give twelve digits that change with the sources of the reader and of the codes."""
    digest = hashlib.sha256()
    for room in (artifact, codes):
        for path in sorted(Path(str(room.__file__)).parent.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def write_rounds(path: Path, rows: Sequence[RoundRow]) -> None:
    """Write the rows as CSV and the page beside it, each whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(RoundRow))
    writer.writerows(astuple(row) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.getvalue().encode())
    write_atomic(path.with_suffix(".md"), page(rows).encode())


def read_rounds(path: Path) -> list[RoundRow]:
    """Read the rows of a CSV file that ``write_rounds`` wrote."""
    types = get_type_hints(RoundRow)
    with path.open(newline="") as file:
        return [
            RoundRow(**{name: types[name](value) for name, value in line.items()})
            for line in csv.DictReader(file)
        ]


def page(rows: Sequence[RoundRow]) -> str:
    """Give the page: what must hold, how many files were tried, and what became of them."""
    return "\n".join([*_opening(rows), *_totals(rows), *_runs(rows), ""])


def _opening(rows: Sequence[RoundRow]) -> Iterator[str]:
    yield "# Hostile and damaged files"
    yield ""
    yield (
        "`make fuzz` damages small files of every code as bytes, in the header, in the directory "
        "and in the payloads, mostly under a true digest, so that the checks behind it are "
        "reached; what reaches new branches of the reader (atheris, libFuzzer) is damaged "
        "further. Each file is inspected, and loaded into a network and into its own recorded "
        "one (of what cannot be inspected, one file in four). "
        "It must be refused in one sentence by ArtifactError (ConfigError where there is no "
        "network to load into), and then leave the network as it was; or every weight must be "
        "what the streams say, by a second reading of the codes in numpy, and the network, saved "
        "and loaded again, be the same (tried for one in sixteen). "
        "Any other exception, crash, 20 seconds for one file, or "
        f"memory beyond {allowed_bytes(0) / 2**20:.0f} MiB and "
        f"{(allowed_bytes(1) - allowed_bytes(0)) / 2**10:.0f} KiB for each byte of the file "
        f"({BYTES_PER_ELEMENT} bytes for each weight that a file may claim) is a finding."
    )
    readers = sorted({row.reader for row in rows})
    yield ""
    yield f"Sources of the reader {', '.join(readers)}, on {rows[0].machine}."


def _totals(rows: Sequence[RoundRow]) -> Iterator[str]:
    tried = sum(row.tried for row in rows)
    read = sum(row.read for row in rows)
    yield from ("", "| | |", "|---|---|")
    yield f"| files tried | {tried:,} (goal {GOAL:,}: {'met' if tried >= GOAL else 'missed'}) |"
    yield f"| different ones within their round | {sum(row.distinct for row in rows):,} |"
    yield f"| refused | {tried - read - sum(row.findings for row in rows):,} |"
    yield f"| read as what they say | {read:,} |"
    yield f"| of these loaded into a network | {sum(row.loaded for row in rows):,} |"
    yield f"| of these built from their own record | {sum(row.built for row in rows):,} |"
    yield f"| findings | {sum(row.findings for row in rows):,} |"
    edges, peak = max(row.edges for row in rows), max(row.peak_bytes for row in rows)
    yield f"| branches of the reader reached | {edges:,} |"
    yield f"| most memory for a file, beyond what the process had | {peak / 1e6:.0f} MB |"


def _runs(rows: Sequence[RoundRow]) -> Iterator[str]:
    yield from (
        "",
        "| seed | rounds | files | seconds of all processes | corpus | branches | findings |",
    )
    yield f"|{'---|' * 7}"
    for seed in sorted({row.seed for row in rows}):
        own = [row for row in rows if row.seed == seed]
        tried, seconds = sum(row.tried for row in own), sum(row.seconds for row in own)
        yield (
            f"| {seed} | {len(own)} | {tried:,} | {seconds:.0f} | "
            f"{max(row.corpus for row in own):,} | {max(row.edges for row in own):,} | "
            f"{sum(row.findings for row in own)} |"
        )
