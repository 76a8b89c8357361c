"""Say on the driver's terminal how the runs of a sweep end, wherever they run."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from clusterpress.runs.finished import Finished
from clusterpress.sweeps.job import Notes, Task

_LOOK = 0.3  # Seconds between two looks at the notes.

Say = Callable[[Task, Finished, int], str]


def in_a_line(task: Task, ended: Finished, of: int) -> str:
    """Say how a run of a suite ended."""
    return f"[{task.number}/{of}] {task.title}: {_failure(ended) or ended.said}"


def in_lines(task: Task, ended: Finished, of: int) -> str:
    """Say how a run ended, with all that it measured."""
    failure = _failure(ended)
    return f"[{task.number}/{of}] {task.title}: {failure}" if failure else ended.summary


@contextmanager
def said(notes: Notes, tasks: Sequence[Task], say: Say) -> Iterator[None]:
    """Print how each run ended, soon after it did."""
    over, left = threading.Event(), list(tasks)

    def look() -> None:
        for task in list(left):
            ended = notes.ended(task)
            if ended is not None:
                left.remove(task)
                print(say(task, ended, len(tasks)), flush=True)

    def watch() -> None:
        while not over.wait(_LOOK):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()


def _failure(ended: Finished) -> str:
    return f"FAILED: {ended.failure}" if ended.failure else ""
