"""Try out that a network sees its hidden neurons by nothing but the layers that read them."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch_pruning import utils

from clusterpress.errors import ConfigError
from clusterpress.merging.dense import dense_layer
from clusterpress.merging.fold import put_columns
from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.outline import outline
from clusterpress.merging.running import on_device_of

# Far above what another order of float32 sums changes in deep networks, far below what a neuron
# that is lost does.
TOLERANCE = 1e-3
_COARSE = 5e-2
"""Where an output has half the precision."""


def require_unseen(
    network: nn.Module, layers: Sequence[HiddenLayer], example_input: torch.Tensor
) -> None:
    """Refuse a network whose output sees neurons otherwise than by the layers that read them.

    Autograd records neither what ``forward`` does under ``no_grad()`` or after ``detach()``, nor
    a number that it makes of neurons, of weights or of a width. So it is tried out: where the
    readers have weights of zero for half of each layer's neurons, these may go without a trace.
    A network that gives something else each time, or does not run at these widths, tells nothing.

    Args:
        network: Is not changed.
        layers: Hidden layers of it, with all their readers.
        example_input: One batch, whose shape is taken and not its numbers.

    Raises:
        ConfigError: It has such a layer, which is named.
    """
    if _sees(network, layers, example_input):
        layer = next((one for one in layers if _sees(network, [one], example_input)), layers[0])
        readers = ", ".join(dict.fromkeys(reader.name for reader in layer.consumers))
        raise ConfigError(
            f"The neurons of layer {layer.name!r} cannot be merged or removed: the network's "
            f"output depends on them, or on their number or weights, by more than the layers that "
            f"read them ({readers}), and autograd does not record how. Look in forward() for "
            "detach(), no_grad(), item() or a width in a formula."
        )


def _sees(network: nn.Module, layers: Sequence[HiddenLayer], example: torch.Tensor) -> bool:
    widths = {layer.name: (layer.width + 1) // 2 for layer in layers}
    ignoring = _ignoring(network, layers, widths)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        batch = torch.randn(example.shape, dtype=example.dtype)
    whole, narrow = (
        _outputs(each, batch, seed=0) for each in (ignoring, outline(ignoring, layers, widths))
    )
    if narrow is None or whole is None or _same(whole, narrow):
        return False
    again = _outputs(ignoring, batch, seed=1)
    return again is not None and _same(whole, again)


def _ignoring(
    network: nn.Module, layers: Sequence[HiddenLayer], widths: Mapping[str, int]
) -> nn.Module:
    """Copy a network whose readers have weights of zero for all but the first neurons."""
    network = copy.deepcopy(network)
    for layer in layers:
        kept = torch.arange(layer.width) < widths[layer.name]
        for name in dict.fromkeys(each.name for each in layer.consumers):
            reader = dense_layer(network, name)
            places = [each for each in layer.consumers if each.name == name]
            mask = kept[:, None].to(reader.weight.device)
            put_columns(reader, places, layer.width, mask.__mul__)
    return network


def _outputs(network: nn.Module, batch: torch.Tensor, seed: int) -> list[torch.Tensor] | None:
    """Give the tensors that a network in evaluation gives; None where it does not run."""
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            given = network.eval()(on_device_of(network, batch))
            return [each.clone() for each in utils.utils.flatten_as_list(given)]
    except Exception:  # Whatever somebody's forward() raises; ``require_runs`` tells it.
        return None


def _same(ones: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    """Say whether outputs agree; those that are not finite, at zero image say, tell nothing."""
    if [one.shape for one in ones] != [other.shape for other in others]:
        return False
    for one, other in zip(ones, others, strict=True):
        bound = TOLERANCE if one.dtype in (torch.float32, torch.float64) else _COARSE
        difference = (one.double() - other.double()).abs()
        if difference.numel() and float(difference.max()) > bound * float(one.double().abs().max()):
            return False
    return True
