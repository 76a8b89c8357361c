"""How wide the layers of a merged or pruned network shall be: the knobs that both share."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import (
    SKIPS,
    HiddenLayer,
    Keep,
    checked_keep,
    checked_remove,
    keep_that_removes,
    reestimate,
    target_widths,
)
from clusterpress.steps.base import Context, Step

# Forward passes of a re-estimation: 20 batches of 500 images give means to about one percent of
# a deviation.
REESTIMATION_BATCHES = 20


@runtime_checkable
class NarrowsLayers(Step, Protocol):
    """A step that makes hidden layers narrower.

    Attributes:
        remove: The share of the network's parameters to remove at least, if that is its target.
    """

    remove: float | None

    def hidden(self, network: nn.Module, example: torch.Tensor) -> list[HiddenLayer]:
        """Give the layers that it takes, from input to output."""

    def with_keep(self, keep: Keep) -> Self:
        """Give the same step with other widths."""


def width_problems(
    keep: Any, remove: Any, skips: Any, reestimates: Any, **others: Any
) -> Iterator[str]:
    """Say what is wrong with the knobs; of ``keep``, ``remove`` and others one must be given."""
    given = {"keep": keep, **others, "remove": remove}
    if sum(value is not None for value in given.values()) != 1:
        named = [f"{name} ({value!r})" for name, value in given.items()]
        yield f"exactly one of {', '.join(named[:-1])} and {named[-1]} must be given"
    for value, check in ((keep, checked_keep), (remove, checked_remove)):
        if value is not None:
            try:
                check(value)
            except ConfigError as error:
                yield str(error).rstrip(".")
    if skips not in SKIPS:
        yield f"skips is {skips!r}, it must be one of {', '.join(SKIPS)}"
    if not isinstance(reestimates, bool):
        yield f"reestimate is {reestimates!r}, it must be true or false"


def chosen_widths(
    network: nn.Module,
    layers: Sequence[HiddenLayer],
    keep: Keep | None,
    remove: float | None,
    context: Context,
) -> dict[str, int] | None:
    """Give the new widths; None where neither ``keep`` nor ``remove`` is given.

    Remembers in the context's facts: the solved ``keep``, where ``remove`` is given.

    Raises:
        ConfigError: ``keep`` names no hidden layer, or ``remove`` cannot be met.
    """
    if remove is not None:
        keep = context.facts["keep"] = keep_that_removes(network, layers, remove)
    return None if keep is None else target_widths(keep, layers)


def reestimated(network: nn.Module, context: Context) -> None:
    """Estimate the statistics of BatchNorms anew from training images of the context.

    Remembers in the context's facts: ``reestimation_images``.

    Raises:
        ConfigError: The context has none.
    """
    images = islice(context.batches(), REESTIMATION_BATCHES)
    context.facts["reestimation_images"] = reestimate(network, images)
