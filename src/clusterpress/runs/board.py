"""How far the runs of a store are, in small files that any terminal can read.

``<store>/status/runs/<run id>.json`` is there while a run goes on, and stays where it failed or was
killed; nothing of it is part of a run's identity or of its record. Who writes it never waits for
the disk, and a board that cannot be written stops nothing.
"""

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from clusterpress.durable import replace_whole
from clusterpress.runs.process import Process, this_process

SECONDS = 1.0  # Least time between two signs of the same stage.


@dataclass
class RunState:
    """How far one run is.

    Attributes:
        run: Its id.
        title: What it is, for people.
        process: Who works on it.
        began: When it began, in seconds since 1970; likewise ``seen``.
        seen: When it last gave a sign.
        stages: Names of its stages, the baseline's first.
        stage_ids: Their ids.
        stage: Which of them it is at, from 0; ``len(stages)`` where only the file is missing.
        stage_began: When it came to this stage.
        waits: Whether another process does this stage.
        epoch: Epochs that the training of this stage has done, a part of one counted as such.
        epochs: How many it will do; 0 where nothing trains now.
        error: The last known top-1 error in percent, or None.
        error_of: What has this error.
        failure: Why it failed, or None.
    """

    run: str
    title: str
    process: Process
    began: float
    seen: float
    stages: Sequence[str]
    stage_ids: Sequence[str]
    stage: int = 0
    stage_began: float = 0.0
    waits: bool = False
    epoch: float = 0.0
    epochs: int = 0
    error: float | None = None
    error_of: str = ""
    failure: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Give the state that was written as these values.

        Raises:
            TypeError: They are the values of something else.
        """
        return cls(**{**values, "process": Process(**values["process"])})

    @property
    def doing(self) -> str:
        """The stage in a word."""
        if self.stage >= len(self.stages):
            return "writing the file"
        name = self.stages[self.stage]
        return f"waiting for {name}" if self.waits else name


class Board:
    """Says how far one run is.

    Args:
        path: The file.
        run: The run's id.
        title: What it is, for people.
        stages: Names of its stages.
        stage_ids: Their ids.
    """

    def __init__(
        self, path: Path, run: str, title: str, stages: Sequence[str], stage_ids: Sequence[str]
    ) -> None:
        self.path = path
        now = time.time()
        self.state = RunState(run, title, this_process(), now, now, [*stages], [*stage_ids])
        self._written = -SECONDS

    def at(self, stage: int, *, waits: bool = False) -> None:
        """Say at which stage the run is, and whether another process does it."""
        self.state.stage, self.state.waits = stage, waits
        self.state.epoch, self.state.epochs = 0.0, 0
        self.state.stage_began = time.time()
        self._write()

    def measured(self, error: float, of: str) -> None:
        """Keep the last known error, to be told with the next sign."""
        self.state.error, self.state.error_of = error, of

    def trained(self, epoch: float, epochs: int, error: float | None) -> None:
        """Say how far a training is; at most one sign a second goes to the disk."""
        self.state.epoch, self.state.epochs = epoch, epochs
        if error is not None:
            self.measured(error, "validation")
        if time.monotonic() - self._written >= SECONDS:
            self._write()

    def failed(self, reason: str) -> None:
        """Say that the run failed, and why; it stays said until the run begins again."""
        self.state.failure = reason
        self._write()

    def clear(self) -> None:
        """Take the run off the board: it is done."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        self._written, self.state.seen = time.monotonic(), time.time()
        post(self.path, asdict(self.state))


def run_states(folder: Path) -> list[RunState]:
    """Read the states of all runs of a board, by title; what is no state is left out."""
    found = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found.append(RunState.of(json.loads(path.read_text())))
    return sorted(found, key=lambda state: state.title)


def post(path: Path, values: Mapping[str, Any]) -> None:
    """Replace a file of the board; a full or forbidden disk stops nobody's work."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, json.dumps(values).encode())
