"""What nobody needs any more in a store: what is left of killed and abandoned work."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from clusterpress.runs.announced import sweeps
from clusterpress.runs.board import run_states
from clusterpress.runs.store import Store, delete

DAY = 86_400.0


@dataclass(frozen=True)
class Leftover:
    """Something that may be removed.

    Attributes:
        path: A file or folder in the store.
        owner: The stage or run whose lock guards it; None for an announcement.
        why: What it is.
        size: Its bytes.
        days: Since anything in it was written.
    """

    path: Path
    owner: str | None
    why: str
    size: int
    days: float


def leftovers(store: Store, days: float) -> list[Leftover]:
    """List what was left in a store and not written to for so many days.

    That are: states of unfinished trainings, half-written files and folders, and what is said of
    runs and sweeps whose process is gone. Finished stages and runs are never among them, and
    nothing that a process holds the lock of.

    Args:
        store: The store.
        days: Least age; zero lists all.
    """
    now, found = time.time(), list[Leftover]()
    for path, owner, why in _candidates(store):
        size, last = _measured(path)
        if now - last >= days * DAY:
            found.append(Leftover(path, owner, why, size, max(now - last, 0.0) / DAY))
    return found


def remove(store: Store, found: Sequence[Leftover]) -> int:
    """Remove what ``leftovers`` listed, but what somebody works on by now; give the bytes."""
    freed = 0
    for each in found:
        with nullcontext(True) if each.owner is None else store.free(each.owner) as free:
            if free:
                delete(each.path)
                freed += 0 if each.path.exists() else each.size
    return freed


def sentences(found: Sequence[Leftover]) -> Iterator[str]:
    """Say what may be removed: a line for each, then all bytes."""
    for each in found:
        yield f"{each.path}: {each.why}, {each.size:,} bytes, {each.days:.1f} days old"
    yield f"{len(found)} leftovers, {sum(each.size for each in found):,} bytes"


def _candidates(store: Store) -> Iterator[tuple[Path, str | None, str]]:
    owned = [(path.name, path, "unfinished training") for path in _unfinished(store)]
    owned += [(name, path, "half-written") for name, path in store.half_written()]
    owned += [
        (state.run, store.run_state(state.run), "run that failed or was killed")
        for state in run_states(store.run_states)
    ]
    for owner, path, why in owned:
        with store.free(owner) as free:
            if free and path.exists():
                yield path, owner, why
    for path, sweep in sweeps(store):
        if sweep.process.alive is False or (sweep.process.alive is None and _old(path)):
            yield path, None, "sweep that did not end"
    for path in store.sweeps.glob(".*.tmp"):
        if _old(path):  # It is there for milliseconds.
            yield path, None, "half-written"


def _unfinished(store: Store) -> list[Path]:
    return sorted((store.root / "unfinished").glob("*"))


def _old(path: Path) -> bool:
    return time.time() - _measured(path)[1] > DAY


def _measured(path: Path) -> tuple[int, float]:
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
