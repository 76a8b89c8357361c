"""Weights & Biases: one of its runs for each of ours, grouped by suite."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pytorch_lightning.loggers import Logger

from clusterpress.errors import ConfigError
from clusterpress.runs.trackers.base import TrackedRun, Training

Mode = Literal["offline", "online", "disabled"]


class WandbTracker:
    """Weights & Biases; offline unless asked, so that no account is needed.

    Args:
        project: Project's name.
        mode: ``offline`` (files under ``<store>/logs/wandb``), ``online`` or ``disabled``.
        group: Group of runs; None for the suite's.

    Raises:
        ConfigError: ``mode`` is none of these.
    """

    def __init__(
        self, project: str = "clusterpress", mode: Mode = "offline", group: str | None = None
    ) -> None:
        if mode not in get_args(Mode):
            raise ConfigError(f"WandbTracker: mode={mode!r} is not one of {get_args(Mode)}")
        self.project, self.mode, self.group = project, mode, group

    def start(self, run: TrackedRun) -> "WandbSession":
        """Begin a run of its own, whatever other runs this process has.

        Raises:
            ImportError: wandb is not installed.
            wandb.Error: The service cannot be reached, or knows no account.
        """
        import wandb

        run.folder.mkdir(parents=True, exist_ok=True)
        return WandbSession(
            wandb.init(
                project=self.project,
                mode=self.mode,
                group=self.group or run.group,
                name=run.name,
                dir=run.folder,
                config={"run": run.id, **run.config},
                reinit="create_new",
                settings=_settings(),
            )
        )


def _settings() -> Any:
    """Give settings that add no command line, path, host or git remote of this machine."""
    import wandb

    return wandb.Settings(
        silent=True,
        console="off",
        init_timeout=30,
        disable_git=True,
        disable_code=True,
        x_disable_meta=True,
    )


class WandbSession:
    """One run there."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def logger(self, training: Training) -> Logger:
        """Give the logger of a training; its curves are called ``<stage>-loss`` and so on."""
        from pytorch_lightning.loggers import WandbLogger

        self._run.define_metric(f"{training.name}-*", step_metric="trainer/global_step")
        return WandbLogger(experiment=self._run, prefix=training.name)

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """Add the summary and finish; a run that failed is marked so."""
        self._run.summary.update(dict(summary or {}))
        self._run.finish(exit_code=1 if summary is None else 0)
