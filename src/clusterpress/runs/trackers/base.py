"""What a tracker is, and what it is told. Whatever it raises, the run goes on without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pytorch_lightning.loggers import Logger


@dataclass(frozen=True)
class TrackedRun:
    """A run that begins.

    Attributes:
        id: Names the run in the store.
        name: What it is, for people.
        group: The suite that it was asked for in, as ``han2016/mnist``; None outside of suites.
        folder: Where files may go: ``<store>/logs``.
        config: The resolved config as plain values, without the folders of this machine and the
            trackers' own settings; weights are a file's name and its SHA-256.
    """

    id: str
    name: str
    group: str | None
    folder: Path
    config: dict[str, Any]


@dataclass(frozen=True)
class Training:
    """One training of a run.

    Attributes:
        stage: The stage's name.
        stage_id: The stage's id, which runs with the same beginning share.
        call: How many trainings the stage did before.
    """

    stage: str
    stage_id: str
    call: int = 0

    @property
    def name(self) -> str:
        """What it is called within its run."""
        return f"{self.stage}-{self.call}" if self.call else self.stage


class Session(Protocol):
    """One run, as a tracker follows it."""

    def logger(self, training: Training) -> Logger:
        """Give the Lightning logger that gets the curves of a training that begins."""

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Take what the run measured in the end; None where it failed."""


@runtime_checkable
class Tracker(Protocol):
    """Follows runs. A third party's is any class with this method, named by its ``_target_``."""

    def start(self, run: TrackedRun) -> Session:
        """Begin to follow a run; the trainings that are done already are not repeated."""
