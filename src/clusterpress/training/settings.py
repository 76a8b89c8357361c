"""Where and how a training runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from clusterpress.errors import ConfigError
from clusterpress.training.precision import CHOICES as PRECISIONS

ACCELERATORS = ("cpu", "gpu")
STRATEGIES = ("auto", "ddp")


@dataclass(frozen=True)
class TrainerSettings:
    """Where and how a training runs.

    Attributes:
        accelerator: ``cpu`` or ``gpu``.
        devices: Number of devices (of processes, on the CPU).
        strategy: ``auto``, or ``ddp``: the training alone runs in ``devices`` fresh processes;
            the calling process stays one and gets the weights back.
        precision: ``32``, ``bf16`` or ``auto`` in place of the recipe's, or None.
        progress: Whether to show rich's progress bar.
        deterministic: Refuse operations that would not give the same bits again.
        log_every_n_steps: Steps between two lines of the loggers.
        limit: Batches an epoch, for debugging, or None for all.
        threads: Threads of one operation on the CPU, or None for torch's own choice.

    Raises:
        ConfigError: Settings are out of range; one error names them all.
    """

    accelerator: str = "cpu"
    devices: int = 1
    strategy: str = "auto"
    precision: str | None = None
    progress: bool = False
    deterministic: bool = True
    log_every_n_steps: int = 50
    limit: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.precision is not None:
            object.__setattr__(self, "precision", str(self.precision))
        problems = list(self._problems())
        if problems:
            raise ConfigError("The trainer's settings are not valid: " + "; ".join(problems) + ".")

    def _problems(self) -> Iterator[str]:
        choices = {
            "accelerator": ACCELERATORS,
            "strategy": STRATEGIES,
            "precision": (None, *PRECISIONS),
        }
        for name, values in choices.items():
            if getattr(self, name) not in values:
                yield f"{name} is {getattr(self, name)!r}, it must be one of {values}"
        for name in ("devices", "log_every_n_steps", "limit", "threads"):
            value = getattr(self, name)
            optional = name in ("limit", "threads") and value is None
            if not optional and (not isinstance(value, int) or value < 1):
                yield f"{name} is {value!r}, it must be a whole number of at least 1"
        if self.devices != 1 and self.strategy == "auto":
            yield f"devices is {self.devices}, more than one needs the strategy 'ddp'"
