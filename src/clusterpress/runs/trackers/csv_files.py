"""Curves and summaries as CSV files beside the store; the report draws its curves from them."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from clusterpress.durable import write_atomic
from clusterpress.runs.trackers.base import TrackedRun, Training

COLUMNS = ("epoch", "step", "loss", "lr", "train_loss", "validation_error")


class CsvTracker:
    """``<store>/logs/<stage>/metrics.csv`` a training, ``<run>-run/summary.csv`` a run."""

    def start(self, run: TrackedRun) -> "CsvSession":
        """Begin to follow a run; writes nothing yet."""
        return CsvSession(run)


class CsvSession:
    """One run in CSV files."""

    def __init__(self, run: TrackedRun) -> None:
        self._run = run

    def logger(self, training: Training) -> Logger:
        """Give the logger of a training."""
        return CsvCurve(self._run.folder / f"{training.stage_id}-{training.name}" / "metrics.csv")

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Write one row; nothing for a run that failed."""
        if summary is None:
            return
        run = self._run
        row = {"run": run.id, "name": run.name, "group": run.group, **summary}
        path = run.folder / f"{run.id}-run" / "summary.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, _text(list(row), [row]).encode())


class CsvCurve(Logger):
    """One training as a CSV file that each entry reaches at once.

    A training that goes on after a kill keeps the rows before the step at which it goes on.

    Args:
        path: The file; made at the first entry.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._begun = path, False

    @property
    def name(self) -> str:
        """The file's folder."""
        return self._path.parent.name

    @property
    def version(self) -> str:
        """Nothing: the stage's id names the folder."""
        return ""

    def log_hyperparams(self, params: Any, *more: Any, **named: Any) -> None:
        """Keep nothing: the record has the config."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add a row.

        Raises:
            ValueError: A metric that has no column.
            OSError: The file cannot be written.
        """
        row = {**metrics, "step": step}
        if not self._begun:
            self._begin(step or 0)
        with self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(_text(COLUMNS, [row], header=False))

    def _begin(self, step: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, str]] = []
        if self._path.is_file():
            with self._path.open(encoding="utf-8", newline="") as file:
                rows = [row for row in csv.DictReader(file) if _before(row, step)]
        write_atomic(self._path, _text(COLUMNS, rows).encode())
        self._begun = True


def _before(row: Mapping[str, str | None], step: int) -> bool:
    text = row.get("step") or ""
    return text.isdigit() and int(text) < step and set(row) <= set(COLUMNS)


def _text(columns: Iterable[str], rows: Iterable[Mapping[str, Any]], header: bool = True) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
