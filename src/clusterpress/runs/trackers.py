"""Who is told of a training: a CSV file beside the store, or Weights & Biases."""

import warnings
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from clusterpress.errors import ConfigError

Mode = Literal["offline", "online", "disabled"]


class Tracker(Protocol):
    """Gives the Lightning loggers of one stage's training."""

    def loggers(self, folder: Path, name: str, config: dict[str, Any]) -> list[Any]:
        """Make the loggers; none where the tracker cannot be reached."""


class CsvTracker:
    """Training curves as ``metrics.csv`` in ``<store>/logs/<stage>``; nothing else needed."""

    def loggers(self, folder: Path, name: str, config: dict[str, Any]) -> list[Any]:
        """Make one Lightning CSV logger."""
        del config
        from pytorch_lightning.loggers import CSVLogger

        return [CSVLogger(folder, name="", version=name)]


class WandbTracker:
    """Weights & Biases; offline unless asked, so that no account is needed.

    Args:
        project: Project's name.
        mode: ``offline`` (files under ``<store>/logs``), ``online`` or ``disabled``.
        group: Group of runs; None for none.

    Raises:
        ConfigError: ``mode`` is none of these.
    """

    def __init__(
        self, project: str = "clusterpress", mode: Mode = "offline", group: str | None = None
    ) -> None:
        if mode not in get_args(Mode):
            raise ConfigError(f"WandbTracker: mode={mode!r} is not one of {get_args(Mode)}")
        self.project, self.mode, self.group = project, mode, group

    def loggers(self, folder: Path, name: str, config: dict[str, Any]) -> list[Any]:
        """Start a run; a tracker that fails is reported and never fails the training."""
        try:
            import wandb
            from pytorch_lightning.loggers import WandbLogger

            wandb.finish()
            folder.mkdir(parents=True, exist_ok=True)
            run = wandb.init(
                project=self.project,
                mode=self.mode,
                group=self.group,
                name=name,
                dir=folder,
                config=config,
                settings=wandb.Settings(silent=True),
            )
            return [WandbLogger(experiment=run)]
        except Exception as error:
            warnings.warn(f"wandb is left out: {error}", stacklevel=2)
            return []
