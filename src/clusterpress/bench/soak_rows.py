"""The table of kills, and the page that is made of it."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from clusterpress.durable import write_atomic

GOAL = 50


@dataclass(frozen=True)
class KillRow:
    """One kill and what became of its sweep.

    Attributes:
        sweep: Number of the sweep, which began with an empty store.
        kill: Number of the kill.
        kind: ``run``, ``worker``, ``driver`` or ``group``.
        seconds: When, after the command began, or after the kill before where it still went on.
        stages: What the killed processes were at, joined by ``;``; empty where no run had begun,
            or where the driver alone was killed, which trains nothing.
        finished: Finished files in the store at that instant.
        lost_seconds: Work on unfinished stages that was lost, and so done twice.
        redone: Finished stages and runs that were done again.
        starts: How often the sweep was started until it ended.
        points: Its runs.
        equal: Whether its tables are those of a sweep that nobody killed, byte for byte.
        machine: Name of the processor.
    """

    sweep: int
    kill: int
    kind: str
    seconds: float
    stages: str
    finished: int
    lost_seconds: float
    redone: int
    starts: int
    points: int
    equal: bool
    machine: str


def write_kills(path: Path, rows: Sequence[KillRow]) -> None:
    """Write the rows as CSV and the page beside it, each whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(KillRow))
    writer.writerows(astuple(row) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.getvalue().encode())
    write_atomic(path.with_suffix(".md"), page(rows).encode())


def page(rows: Sequence[KillRow]) -> str:
    """Give the page: what must hold, how often it was tried, and what came out."""
    return "\n".join([*_opening(rows), *_totals(rows), *_places(rows), ""])


def _opening(rows: Sequence[KillRow]) -> Iterator[str]:
    yield "# Killed sweeps"
    yield ""
    yield (
        f"`make soak` runs a sweep of {rows[0].points} points on the digits, two processes at a "
        "time by joblib, and kills (SIGKILL) at random instants the process that does a run, "
        "joblib's worker above it, the driver alone or the whole process group. After the first "
        "two the sweep must go on by itself; after the others, with what a killed driver leaves "
        "running left running, it is started again at once, until it ends. Then no file of a "
        "stage or run that was finished at a kill may be another one (inode and time of change, "
        "curves of its trainings included), and the table of records without its columns of "
        "timing and provenance, the comparison and every suite's page must be, byte for byte, "
        "those of a sweep that nobody killed."
    )
    yield ""
    yield f"On {', '.join(sorted({row.machine for row in rows}))}."


def _totals(rows: Sequence[KillRow]) -> Iterator[str]:
    sweeps = {row.sweep: row for row in rows}
    equal = sum(row.equal for row in sweeps.values())
    lost = [row.lost_seconds for row in rows]
    yield from ("", "| | |", "|---|---|")
    yield f"| kills | {len(rows)} (goal {GOAL}: {'met' if len(rows) >= GOAL else 'missed'}) |"
    for kind, count in sorted(Counter(row.kind for row in rows).items()):
        yield f"| of these of {_WORDS[kind]} | {count} |"
    yield f"| sweeps | {len(sweeps)} |"
    yield f"| starts | {sum(row.starts for row in sweeps.values())} |"
    yield f"| finished stages and runs that were done again | {sum(row.redone for row in rows)} |"
    yield f"| sweeps whose tables are equal | {equal} of {len(sweeps)} |"
    yield (
        f"| work on unfinished stages that was lost, a kill | {sum(lost) / len(lost):.2f} s "
        f"on average, {max(lost):.2f} s at most |"
    )


_WORDS = {
    "run": "the process of a run",
    "worker": "joblib's worker",
    "driver": "the driver alone",
    "group": "the process group",
}


def _places(rows: Sequence[KillRow]) -> Iterator[str]:
    yield from ("", "## Where they hit", "", "| kind | at | processes |", "|---|---|---|")
    hits = Counter((row.kind, stage) for row in rows for stage in _stages(row))
    for (kind, stage), count in sorted(hits.items()):
        yield f"| {kind} | {stage} | {count} |"


def _stages(row: KillRow) -> list[str]:
    if row.kind == "driver":
        return ["handing out runs"]
    return row.stages.split(";") if row.stages else ["no run had begun, or none was left"]
