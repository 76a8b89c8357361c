"""How a network is trained: one immutable value that says everything but data and seed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from clusterpress.errors import ConfigError
from clusterpress.training.precision import CHOICES as PRECISIONS

OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("constant", "step", "cosine", "one_cycle")
# Images in files: cropped and mirrored where they are read.
CROP = "resized_crop_flip"
AUGMENTATIONS = ("none", "shift", "shift_flip", CROP)
SELECTIONS = ("last", "validation")


@dataclass(frozen=True)
class Recipe:
    """How to train: optimiser, schedule, epochs, batch, augmentation, precision.

    Attributes:
        epochs: Passes over the training split; 0 trains nothing.
        batch_size: Images per step, over all devices together.
        optimizer: ``sgd``, or ``adam`` with decoupled weight decay (AdamW, Loshchilov & Hutter
            2019).
        lr: Peak learning rate.
        momentum: SGD's momentum, Adam's beta1.
        nesterov: Nesterov's momentum; SGD only.
        weight_decay: L2 factor (SGD) or decoupled decay (Adam), on weights and biases alike.
        schedule: ``constant``; ``step`` (times ``gamma`` at each of ``milestones``); ``cosine``
            (towards zero); ``one_cycle`` (linear up over the first 30 % of the steps, cosine down;
            Smith 2018). All but the milestones move every step.
        milestones: Ascending epochs at which ``step`` falls.
        gamma: Factor of ``step``.
        warmup_epochs: Linear rise to ``lr`` before the schedule begins; not for ``one_cycle``.
        augmentation: ``none``; ``shift``: each image moved by up to ``shift`` pixels each way;
            ``shift_flip``: and mirrored left to right every other time; ``resized_crop_flip``: a
            random part of a photograph, resized, and mirrored every other time (images in files
            alone).
        shift: Largest translation in pixels.
        label_smoothing: Share of the target spread over all classes.
        precision: ``32``; ``bf16`` for autocast to bfloat16 (weights stay float32); ``auto`` for
            bf16 where the machine computes in it and 32 elsewhere (a record says which).
        select: Keep the weights of the ``last`` epoch, or of the best one on ``validation``.
        validate_every: Epochs between validations; the last epoch is always validated.

    Raises:
        ConfigError: Settings are out of range; one error names them all.
    """

    version: ClassVar[int] = 1

    epochs: int = 10
    batch_size: int = 128
    optimizer: str = "sgd"
    lr: float = 0.05
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    schedule: str = "cosine"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    warmup_epochs: float = 0.0
    augmentation: str = "none"
    shift: int = 2
    label_smoothing: float = 0.0
    precision: str = "32"
    select: str = "last"
    validate_every: int = 1

    def __post_init__(self) -> None:
        # A YAML list arrives as a list; a tuple keeps the value hashable and immutable.
        object.__setattr__(self, "milestones", tuple(self.milestones))
        object.__setattr__(self, "precision", str(self.precision))
        problems = [*self._choices(), *self._ranges(), *self._combinations()]
        if problems:
            raise ConfigError("The recipe is not valid: " + "; ".join(problems) + ".")

    def _choices(self) -> Iterator[str]:
        allowed = {
            "optimizer": OPTIMIZERS,
            "schedule": SCHEDULES,
            "augmentation": AUGMENTATIONS,
            "precision": PRECISIONS,
            "select": SELECTIONS,
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                yield f"{name} is {getattr(self, name)!r}, it must be one of {', '.join(values)}"

    def _ranges(self) -> Iterator[str]:
        whole = {"epochs": 0, "batch_size": 1, "shift": 0, "validate_every": 1}
        for name, lowest in whole.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
                yield f"{name} is {value!r}, it must be a whole number of at least {lowest}"
        real: dict[str, tuple[Callable[[float], bool], str]] = {
            "lr": (lambda value: value > 0, "above 0"),
            "momentum": (lambda value: 0 <= value < 1, "in [0, 1)"),
            "weight_decay": (lambda value: value >= 0, "at least 0"),
            "gamma": (lambda value: 0 < value <= 1, "in (0, 1]"),
            "warmup_epochs": (lambda value: value >= 0, "at least 0"),
            "label_smoothing": (lambda value: 0 <= value < 1, "in [0, 1)"),
        }
        for name, (fits, rule) in real.items():
            value = getattr(self, name)
            if not (_is_number(value) and fits(value)):
                yield f"{name} is {value!r}, it must be a number {rule}"

    def _combinations(self) -> Iterator[str]:
        if not _ascending(self.milestones):
            yield f"milestones are {list(self.milestones)}, they must be ascending epochs from 1"
        if self.milestones and self.schedule != "step":
            yield f"milestones are given, but the schedule is {self.schedule!r} and not 'step'"
        if self.schedule == "step" and not self.milestones:
            yield "the schedule is 'step', but milestones are empty"
        if self.nesterov and (self.optimizer != "sgd" or not self.momentum):
            yield "nesterov is true, but it needs optimizer 'sgd' and a momentum above 0"
        if self.schedule == "one_cycle" and self.warmup_epochs:
            yield "warmup_epochs is given, but 'one_cycle' has its own rise"
        numbers = _is_number(self.epochs) and _is_number(self.warmup_epochs)
        if numbers and 0 < self.epochs <= self.warmup_epochs:
            yield f"warmup_epochs is {self.warmup_epochs}, it must be below epochs ({self.epochs})"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ascending(milestones: tuple[object, ...]) -> bool:
    epochs = [value for value in milestones if isinstance(value, int) and value >= 1]
    return len(epochs) == len(milestones) and epochs == sorted(set(epochs))
