"""What goes on in a store, for the terminal."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from clusterpress.runs.announced import Progress, progress
from clusterpress.runs.board import RunState
from clusterpress.runs.duration import duration
from clusterpress.runs.process import Process
from clusterpress.runs.store import Store, existing

WORDS = ("done", "running", "failed", "killed", "waiting")
Shown = Sequence[tuple[str, RunState]]


def show_status(folder: Path, console: Console, *, watch: bool = False) -> None:
    """Print what goes on in a store; ``watch`` goes on doing so until Ctrl-C.

    Raises:
        StoreError: There is no such store.
    """
    store = existing(folder)
    if not watch:
        console.print(status(store))
        return
    with Live(status(store), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(1.0)
            live.update(status(store), refresh=True)


def status(store: Store) -> Group:
    """Give the tables of all sweeps that are announced and of all other runs that go on."""
    found, single = progress(store)
    parts: list[Text | Table] = []
    for each in found:
        parts += [Text(sentence(each)), *_rows(each.shown, each.now)]
    if single:
        parts += [Text("runs outside of sweeps:"), *_rows(single, time.time())]
    return Group(*(parts or [Text(f"nothing goes on in {store.root}")]))


def sentence(found: Progress) -> str:
    """Say how far a sweep is, in one line."""
    sweep = found.sweep
    counts = ", ".join(f"{found.counts[w]} {w}" for w in WORDS if found.counts[w] or w == "done")
    ends = "" if found.left is None else f", {duration(found.left)} left"
    elapsed = f"began {duration(found.now - sweep.began)} ago{ends}"
    driver = process(sweep.process, found.seen, found.now)
    return f"{sweep.title}: of {len(sweep.runs)} runs {counts}; {elapsed}; driver {driver}"


def process(who: Process, seen: float, now: float) -> str:
    """Say which process it is, and whether it lives; of another machine's, its last sign."""
    alive = who.alive
    if alive is None:
        return f"{who.pid} on {who.host}, last sign {max(now - seen, 0):.0f} s ago"
    return f"{who.pid}{'' if alive else ' is dead'}"


def _rows(shown: Shown, now: float) -> Iterator[Table]:
    if not shown:
        return
    table = Table()
    for name in ("run", "state", "stage", "epoch", "error", "time", "process"):
        table.add_column(name, overflow="fold")
    for kind, state in shown:
        table.add_row(*(escape(cell) for cell in _cells(kind, state, now)))
    yield table


def _cells(kind: str, state: RunState, now: float) -> tuple[str, ...]:
    return (
        state.title,
        f"{kind}: {state.failure}" if state.failure else kind,
        f"{state.doing} ({min(state.stage + 1, len(state.stages))} of {len(state.stages)})",
        f"{state.epoch:.1f} of {state.epochs}" if state.epochs else "–",
        "–" if state.error is None else f"{state.error:.2f} % {state.error_of}",
        str(timedelta(seconds=round((now if kind == "running" else state.seen) - state.began))),
        process(state.process, state.seen, now),
    )
