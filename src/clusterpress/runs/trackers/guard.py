"""Between a run and its trackers: a tracker that raises is left out, and the run goes on."""

import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from pytorch_lightning.loggers import Logger

from clusterpress.runs.trackers.base import Session, TrackedRun, Tracker, Training


class Guard:
    """Calls one tracker until a call raises; from then on it calls it no more.

    Args:
        name: The tracker's name in the config.
    """

    def __init__(self, name: str) -> None:
        self.name, self.alive = name, True

    def call(self, what: Any, method: str, *values: Any, **named: Any) -> Any:
        """Give what a method gives; None where it raises, now or before, or is not there."""
        if not self.alive:
            return None
        try:
            return getattr(what, method)(*values, **named)
        except (Exception, SystemExit) as error:
            self.alive = False
            _say(f"the tracker {self.name!r} is left out: {type(error).__name__}: {error}")
            return None


@cache
def _say(sentence: str) -> None:
    """Print a sentence once in this process; a warning could be made an error by a filter."""
    print(f"clusterpress: {sentence}", file=sys.stderr, flush=True)


class GuardedLogger(Logger):
    """A logger that cannot fail the training that it is told of.

    Args:
        logger: Whom it tells.
        guard: The tracker's.
    """

    def __init__(self, logger: Logger, guard: Guard) -> None:
        super().__init__()
        self._logger: Logger | None = logger
        self._guard = guard

    @property
    def name(self) -> str:
        """The tracker's name."""
        return self._guard.name

    @property
    def version(self) -> str:
        """Nothing: the store names versions."""
        return ""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Tell of a step or an epoch."""
        self._tell("log_metrics", metrics, step)

    def log_hyperparams(self, params: Any, *more: Any, **named: Any) -> None:
        """Tell of settings."""
        self._tell("log_hyperparams", params, *more, **named)

    def save(self) -> None:
        """Let what was told reach the disk."""
        self._tell("save")

    def finalize(self, status: str) -> None:
        """Say that the training ended."""
        self._tell("finalize", status)

    def _tell(self, method: str, *values: Any, **named: Any) -> None:
        if self._logger is not None:
            self._guard.call(self._logger, method, *values, **named)

    def __getstate__(self) -> dict[str, Any]:
        # The processes of a ddp training get a copy; what cannot be copied is left out there.
        content = self._guard.call(pickle, "dumps", self._logger)
        return {"content": content, "guard": self._guard}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._guard, content = state["guard"], state["content"]
        self._logger = self._guard.call(pickle, "loads", content) if content else None


class Told:
    """All trackers of one run.

    Args:
        trackers: By their names in the config.
        run: The run that begins.
    """

    def __init__(self, trackers: Mapping[str, Tracker], run: TrackedRun) -> None:
        self.summary: dict[str, Any] | None = None
        self._sessions: list[tuple[Guard, Session]] = []
        for name, tracker in trackers.items():
            guard = Guard(name)
            session = guard.call(tracker, "start", run)
            if session is not None:
                self._sessions.append((guard, session))

    def loggers(self, training: Training) -> list[Logger]:
        """Give the loggers of a training that begins."""
        made = [(guard, guard.call(each, "logger", training)) for guard, each in self._sessions]
        return [GuardedLogger(logger, guard) for guard, logger in made if logger is not None]

    def end(self) -> None:
        """Tell what the run measured, where it came so far."""
        for guard, session in self._sessions:
            # A tracker that failed on the way is still told of the end, to let go of what it holds.
            guard.alive = True
            guard.call(session, "end", self.summary)


@contextmanager
def telling(trackers: Mapping[str, Tracker], run: TrackedRun) -> Iterator[Told]:
    """Tell trackers of a run from here to the end of the block, which sets ``summary``."""
    told = Told(trackers, run)
    try:
        yield told
    finally:
        told.end()
