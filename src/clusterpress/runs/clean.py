"""What nobody needs any more in a store: what is left of killed and abandoned work."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clusterpress.runs.abandoned import DAY, Guard, abandoned, measured
from clusterpress.runs.store import Store, delete


@dataclass(frozen=True)
class Leftover:
    """Something that may be removed.

    Attributes:
        path: A file or folder in the store.
        free: Says whether still nobody uses it.
        why: What it is.
        size: Its bytes.
        days: Since anything in it was written.
    """

    path: Path
    free: Guard
    why: str
    size: int
    days: float


def leftovers(store: Store, days: float) -> list[Leftover]:
    """List what was left in a store and not written to for so many days.

    That are: states of unfinished trainings, half-written files, folders and studies, what is said
    of runs and sweeps whose process is gone, or said so that nobody can read it, and the logs of
    sweeps that failed or were killed. Finished stages and runs are never among them, and nothing
    that a process holds the lock of.

    Args:
        store: The store.
        days: Least age; zero lists all.
    """
    now, found = time.time(), list[Leftover]()
    for path, guard, why in abandoned(store):
        with guard() as free:
            if not free or not path.exists():
                continue
            size, last = measured(path)
        if now - last >= days * DAY:
            found.append(Leftover(path, guard, why, size, max(now - last, 0.0) / DAY))
    return found


def remove(found: Sequence[Leftover]) -> int:
    """Remove what ``leftovers`` listed, but what somebody works on by now; give the bytes."""
    freed = 0
    for each in found:
        with each.free() as free:
            if free:
                delete(each.path)
                freed += 0 if each.path.exists() else each.size
    return freed


def sentences(found: Sequence[Leftover]) -> Iterator[str]:
    """Say what may be removed: a line for each, then all bytes."""
    for each in found:
        yield f"{each.path}: {each.why}, {each.size:,} bytes, {each.days:.1f} days old"
    yield f"{len(found)} leftovers, {sum(each.size for each in found):,} bytes"
