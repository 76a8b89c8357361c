"""Files that any number of processes hold while they use something, on all machines of a store.

The system lets go of them when a process dies, however it does; other machines see it where the
file system passes locks on, as the store's other locks need it to.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Not a Unix: nobody can tell who holds what.
    fcntl = None  # type: ignore[assignment]

IN_USE = "in-use"  # What a sweep's driver and workers hold in the folder of its notes.


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file, with others or alone; one that cannot be held stops nothing."""
    with ExitStack() as stack:
        with suppress(OSError):
            file = stack.enter_context(path.open("rb"))
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def free(path: Path) -> Iterator[bool]:
    """Say whether nobody holds a file, and let nobody take it meanwhile.

    False where that cannot be told: there is no such file, or it may not be written.
    """
    with ExitStack() as stack:
        yield _taken(path, stack)


def _taken(path: Path, stack: ExitStack) -> bool:
    if fcntl is None:
        return False
    try:
        # For writing: that is what network file systems ask of who wants a file alone.
        file = stack.enter_context(path.open("rb+"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
