"""How wide the layers of a merged or pruned network shall be: the knobs that both share."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, Self, runtime_checkable

import torch
from torch import nn

from clusterpress.codes import all_weight_layers
from clusterpress.errors import ConfigError
from clusterpress.merging import (
    SKIPS,
    HiddenLayer,
    Keep,
    checked_keep,
    checked_remove,
    keep_that_removes,
    outline,
    reestimate,
    require_dense,
    require_runs,
    target_widths,
)
from clusterpress.steps.base import Context, Step
from clusterpress.steps.foresight import (
    example_for,
    foresee_widths,
    refuse_coded,
    widths_are_final,
)
from clusterpress.suggest import nearest

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


def check_widths(step: NarrowsLayers, network: nn.Module, keep: Keep | None) -> None:
    """Refuse widths that a network cannot have, before any step has run.

    Which layers are hidden only an image tells that is followed through the network; where it is
    not known which images it takes, the names in ``keep`` alone are checked. Where an earlier step
    of this kind leaves it to the weights how wide layers will be, ``remove`` is not judged.

    Raises:
        ConfigError: The step finds no hidden layer, ``keep`` names a layer that the network has not
            or that is not hidden, there are layers through which neurons cannot be merged, an
            earlier step gives one a code, or ``remove`` cannot be met.
    """
    names = [name for name, _ in all_weight_layers(network)]
    refuse_coded(names, type(step).__name__)
    example = example_for(network)
    if example is None:
        require_dense(network)
        _require_layers(keep, names)
        foresee_widths(shorter=names, fewer=names)
        return
    # Of a network whose linear layers are narrower, filters are a larger share.
    if keep is None and (step.remove is None or not widths_are_final()):
        layers = required(step.hidden(network, example))
        readers = {reader.name for layer in layers for reader in layer.consumers}
        producers = {name for layer in layers for name in layer.producers}
        foresee_widths(shorter=readers, fewer=readers | producers)
        return
    foresee_widths(narrower(step, network, example, keep))


def narrower(
    step: NarrowsLayers, network: nn.Module, example: torch.Tensor, keep: Keep | None
) -> nn.Module:
    """Give a network as narrow as a step will leave it; which neurons stay says nothing.

    Args:
        step: If it has a target to ``remove``, this counts.
        network: Is not changed.
        example: An image that it takes, shape (1, C, H, W).
        keep: What the step keeps where it has none; all by default.

    Raises:
        ConfigError: The network cannot have these widths, or no hidden layer is found.
    """
    layers = required(step.hidden(network, example))
    if step.remove is not None:
        keep = keep_that_removes(network, layers, step.remove)
    narrow = outline(network, layers, target_widths(1.0 if keep is None else keep, layers))
    require_runs(narrow, example)
    return narrow


def required(layers: Sequence[HiddenLayer]) -> Sequence[HiddenLayer]:
    """Give the layers that a step takes.

    Raises:
        ConfigError: There are none.
    """
    if not layers:
        raise ConfigError(
            "the step finds no hidden layer: it takes neurons of convolutions and linear layers "
            "that other layers read, where it has `layers` only of that type, and with "
            "skips=internal none that a skip joins with others"
        )
    return layers


def _require_layers(keep: Keep | None, names: Sequence[str]) -> None:
    for name in keep if isinstance(keep, Mapping) else ():
        if name not in names:
            raise ConfigError(
                f"keep names the layer {name!r}, which the network does not have; "
                f"{nearest(name, names)}"
            )


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
        ConfigError: There is no hidden layer, ``keep`` names another one, or ``remove`` cannot be
            met.
    """
    required(layers)
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
