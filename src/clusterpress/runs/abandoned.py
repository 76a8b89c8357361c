"""What killed and abandoned work left in a store, and how one knows that nobody uses it."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from clusterpress.runs.announced import Sweep, sweeps
from clusterpress.runs.board import run_states
from clusterpress.runs.holding import IN_USE, free
from clusterpress.runs.store import Store

DAY = 86_400.0
_STUDY = re.compile(r"\.(.+)\.[0-9a-f]{32}\.tmp.*")

Guard = Callable[[], AbstractContextManager[bool]]
"""Gives whether nobody uses something, and keeps everybody from it while its block lasts."""

Abandoned = Iterator[tuple[Path, Guard, str]]
"""Paths, their guards, and what they are."""


def abandoned(store: Store) -> Abandoned:
    """Give what may be left over in a store; its guard says whether it is."""
    for path in sorted((store.root / "unfinished").glob("*")):
        yield path, partial(store.free, path.name), "unfinished training"
    for name, path in store.half_written():
        yield path, partial(store.free, name), "half-written"
    yield from _half_made_studies(store)
    yield from _run_states(store)
    yield from _announcements(store)
    for path in sorted((store.root / "logs" / "sweep").glob("*")):
        yield path, partial(_notes_free, path), "logs of a sweep that failed or was killed"


def measured(path: Path) -> tuple[int, float]:
    """Give the bytes of a file or folder, and when anything in it was last written."""
    size, last = 0, 0.0
    for each in (path, *path.rglob("*")):
        try:
            found = each.stat()
        except OSError:
            continue  # Gone meanwhile: whoever works on it removes it.
        size += found.st_size if each.is_file() else 0
        last = max(last, found.st_mtime)
    return size, last


def _half_made_studies(store: Store) -> Abandoned:
    for path in sorted((store.root / "studies").glob(".*.tmp*")):
        if found := _STUDY.fullmatch(path.name):
            yield path, partial(store.free, f"study-{found[1]}"), "half-made study"


def _run_states(store: Store) -> Abandoned:
    known = {store.run_state(state.run) for state in run_states(store.run_states)}
    for path in sorted(store.run_states.glob("*.json")):
        why = "run that failed or was killed" if path in known else "status that cannot be read"
        yield path, partial(store.free, path.stem), why


def _announcements(store: Store) -> Abandoned:
    known = dict(sweeps(store))
    for path, sweep in known.items():
        yield path, partial(_announcement_free, path, sweep), "sweep that did not end"
    for path in sorted(store.sweeps.glob("*.json")):
        if path not in known:
            yield path, partial(free, path), "status that cannot be read"
    for path in sorted(store.sweeps.glob(".*.tmp")):
        yield path, partial(_old, path), "half-written"  # It is there for milliseconds.


@contextmanager
def _announcement_free(path: Path, sweep: Sweep) -> Iterator[bool]:
    """Say whether a driver holds its announcement no more.

    Those of earlier versions held none; so it must also be dead, or said nothing for a day.
    """
    alive = sweep.process.alive
    with free(path) as unheld:
        yield unheld and (alive is False or (alive is None and _written_long_ago(path)))


@contextmanager
def _notes_free(folder: Path) -> Iterator[bool]:
    """Say whether neither the driver nor a worker of a sweep lives, or will.

    Jobs of Slurm outlive their driver and may wait in a queue, where they hold nothing; and
    earlier versions held nothing. Of those only the time tells.
    """
    lock = folder / IN_USE
    if not lock.exists():
        yield _written_long_ago(folder)
        return
    with free(lock) as unheld:
        yield unheld and (not (folder / ".submitit").exists() or _written_long_ago(folder))


@contextmanager
def _old(path: Path) -> Iterator[bool]:
    yield _written_long_ago(path)


def _written_long_ago(path: Path) -> bool:
    return time.time() - measured(path)[1] > DAY
