"""Curves and summaries as TensorBoard's event files; only its writer is needed to make them."""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from pytorch_lightning.loggers import Logger

from clusterpress.runs.trackers.base import TrackedRun, Training


class TensorBoardTracker:
    """Event files under ``<store>/logs/tensorboard/<suite>/<run>``, one folder a training."""

    def start(self, run: TrackedRun) -> "TensorBoardSession":
        """Begin to follow a run.

        Raises:
            ImportError: Neither ``tensorboardX`` nor ``tensorboard`` is installed.
        """
        return TensorBoardSession(run)


class TensorBoardSession:
    """One run in event files."""

    def __init__(self, run: TrackedRun) -> None:
        group = [_plain(part) for part in (run.group or "runs").split("/")]
        self._folder = run.folder.joinpath("tensorboard", *group, f"{_plain(run.name)}-{run.id}")
        self._summary = self._writer("summary")
        self._summary.experiment.add_text("config", _code(run.config))

    def logger(self, training: Training) -> Logger:
        """Give the logger of a training."""
        logger: Logger = self._writer(training.name)
        return logger

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Write the numbers of the end as scalars; none for a run that failed."""
        numbers = {f"summary/{key}": float(value) for key, value in (summary or {}).items()}
        self._summary.log_metrics(numbers, 0)
        self._summary.finalize("failed" if summary is None else "success")

    def _writer(self, name: str) -> Any:
        from pytorch_lightning.loggers import TensorBoardLogger

        return TensorBoardLogger(self._folder, name="", version=name)


def _plain(text: str) -> str:
    """Give a name that is one part of a path and no other."""
    return re.sub(r"[^\w.=-]+", "-", text).lstrip(".") or "-"


def _code(config: Mapping[str, Any]) -> str:
    text = yaml.safe_dump(dict(config), sort_keys=False)
    return "\n".join(f"    {line}" for line in text.splitlines())
