"""Try out that a network sees its hidden neurons by nothing but the layers that read them."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.func import functional_call
from torch_pruning import utils

from clusterpress.errors import ConfigError
from clusterpress.merging.blocks import block_of
from clusterpress.merging.dense import dense_layer
from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.outline import outline
from clusterpress.merging.running import modes_restored, on_device_of

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
    batch = on_device_of(network, _noise(example))
    narrow = _outputs(outline(network, layers, widths), batch)
    if narrow is None:
        return False
    ignoring = _ignoring(network, layers, widths)
    whole = _outputs(network, batch, ignoring)
    if whole is None or _same(whole, narrow):
        return False
    again = _outputs(network, batch, ignoring, seed=1)
    return again is not None and _same(whole, again)


def _noise(example: torch.Tensor) -> torch.Tensor:
    """Make a batch of the same shape; of an example of zeros neurons may be zero too."""
    noise = torch.randn(example.shape, generator=torch.Generator().manual_seed(0))
    return noise.to(example.dtype)


def _ignoring(
    network: nn.Module, layers: Sequence[HiddenLayer], widths: Mapping[str, int]
) -> dict[str, torch.Tensor]:
    """Give weights of the readers, by parameter name, that are zero for all but first neurons."""
    weights: dict[str, torch.Tensor] = {}
    for layer in layers:
        for reader in layer.consumers:
            name = f"{reader.name}.weight"
            if name not in weights:
                weights[name] = dense_layer(network, reader.name).weight.detach().clone()
            kept = widths[layer.name] * reader.columns_per_neuron
            block_of(weights[name], reader, layer.width, 1)[:, kept:] = 0.0
    return weights


def _outputs(
    network: nn.Module,
    batch: torch.Tensor,
    weights: Mapping[str, torch.Tensor] | None = None,
    seed: int = 0,
) -> list[torch.Tensor] | None:
    """Give the tensors that a network gives in evaluation; None where it does not run.

    Args:
        network: Its modes and weights are left as they are.
        batch: One batch, where the network is.
        weights: Stand in for those of these names meanwhile.
        seed: Of the random numbers that its ``forward`` may draw.
    """
    try:
        with modes_restored(network), torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            call = (dict(weights or {}), (batch,))
            given = functional_call(network.eval(), *call, tie_weights=False)
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
