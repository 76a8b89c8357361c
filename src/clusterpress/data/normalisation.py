"""What is subtracted from the pixels of a data set and what they are divided by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from clusterpress.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """The part of a data set's settings that normalises it.

    A network that others trained wants their normalisation; without one, the data set's own
    training images give it.

    Attributes:
        mean: Subtracted from every channel, in units of 255, one number a channel; empty for the
            mean of the training split.
        std: Divides every channel, in units of 255; empty for the training split's deviation.

    Raises:
        ConfigError: They are not one finite number a channel, or a deviation is not above 0.
    """

    shape: ClassVar[tuple[int, int, int]]

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            # A YAML list arrives as a list; a tuple keeps the value hashable.
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_channels(self.mean, self.std, self.shape[0], "be empty or have")


def check_channels(
    mean: Sequence[float], std: Sequence[float], channels: int, rule: str = "have"
) -> None:
    """Check a normalisation's numbers; empty ones pass where ``rule`` says so.

    Raises:
        ConfigError: They are not one finite number a channel, or a deviation is not above 0.
    """
    for name, values in (("mean", mean), ("std", std)):
        fits = len(values) == channels or (not values and "empty" in rule)
        if not (fits and all(map(math.isfinite, values))):
            raise ConfigError(
                f"{name} is {list(values)}, it must {rule} one finite number for each of the "
                f"{channels} channels."
            )
    if any(value <= 0 for value in std):
        raise ConfigError(f"std is {list(std)}, each must be above 0.")
