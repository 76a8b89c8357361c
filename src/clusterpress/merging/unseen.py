"""Try out that a network sees its hidden neurons by nothing but the layers that read them."""

from collections.abc import Sequence

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

# Above what another order of sums changes, also in bfloat16 inside of a forward(); far below what
# half of the neurons do.
TOLERANCE = 1e-2
_COARSE = 5e-2
"""On other devices, whose products may be rounded, and for outputs in half precision."""
_HARDLY = 1 + 1e-6
"""By so much another input tells a network whose output jumps, as one with rounded activations."""
_IMAGES, _NUMBERS = 8, 1 << 17
"""Of small images several: in one image a neuron may be zero that the output sees."""
Weights = dict[str, torch.Tensor]


def require_unseen(
    network: nn.Module, layers: Sequence[HiddenLayer], example_input: torch.Tensor
) -> None:
    """Refuse a network whose output sees neurons otherwise than by the layers that read them.

    Autograd records neither what ``forward`` does under ``no_grad()`` or after ``detach()``, nor
    a number that it makes of neurons, of their layer's weights or of a width. So it is tried out on
    a batch of noise: where the readers have weights of zero for half of each layer's neurons, the
    first or the last, these may go without a trace. A network that gives something else each time,
    or does not run at these widths, tells nothing; neither does what ``forward`` makes of a
    reader's weights.

    Args:
        network: Its weights and modes are left as they are.
        layers: Hidden layers of it, with all their readers.
        example_input: One batch, whose shape is taken and not its numbers.

    Raises:
        ConfigError: It has such a layer, which is named.
        DataError: A weight of a layer or reader is NaN or infinite.
    """
    batch = _noise(network, example_input)
    if _sees(network, layers, batch) is False:
        return
    for layer in layers:
        if _sees(network, [layer], batch):
            readers = ", ".join(dict.fromkeys(reader.name for reader in layer.consumers))
            raise ConfigError(
                f"The neurons of layer {layer.name!r} cannot be merged or removed: the network's "
                "output depends on them, or on their number or weights, by more than the layers "
                f"that read them ({readers}), and autograd does not record how. Look in forward() "
                "for detach(), no_grad(), item() or a width in a formula."
            )


def _noise(network: nn.Module, example: torch.Tensor) -> torch.Tensor:
    """Make a batch of some images, or of as many as the example has where others do not run."""
    images = max(1, min(_IMAGES, _NUMBERS * len(example) // example.numel()))
    for shape in ((images, *example.shape[1:]), example.shape):
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(example.dtype)
        batch = on_device_of(network, noise)
        if _outputs(network, batch, {}) is not None:
            break
    return batch


def _sees(network: nn.Module, layers: Sequence[HiddenLayer], batch: torch.Tensor) -> bool | None:
    """Say whether the output sees neurons of some of the layers; None where nothing tells."""
    halves = [_half_is_seen(network, layers, batch, last=last) for last in (False, True)]
    return True if True in halves else None if None in halves else False


def _half_is_seen(
    network: nn.Module, layers: Sequence[HiddenLayer], batch: torch.Tensor, *, last: bool
) -> bool | None:
    ignoring = _ignoring(network, layers, last=last)
    # Before the copy: a tensor that forward() keeps must be one without a gradient.
    whole = _outputs(network, batch, ignoring)
    widths = {layer.name: _kept(layer) for layer in layers}
    narrow = _outputs(outline(network, layers, widths, last=last), batch, {})
    if whole is None or narrow is None:
        return None
    if _same(whole, narrow):
        return False
    again = _outputs(network, batch * _HARDLY, ignoring, seed=1)
    return True if again is not None and _same(whole, again) else None


def _kept(layer: HiddenLayer) -> int:
    return (layer.width + 1) // 2


def _ignoring(network: nn.Module, layers: Sequence[HiddenLayer], *, last: bool) -> Weights:
    """Give weights of the readers, by parameter name, that are zero for all but the kept half."""
    weights: Weights = {}
    for layer in layers:
        for reader in layer.consumers:
            name = f"{reader.name}.weight"
            if name not in weights:
                weights[name] = dense_layer(network, reader.name).weight.detach().clone()
            columns = block_of(weights[name], reader, layer.width, 1)
            lost = (layer.width - _kept(layer)) * reader.columns_per_neuron
            columns.narrow(1, 0 if last else columns.shape[1] - lost, lost).zero_()
    return weights


def _outputs(
    network: nn.Module, batch: torch.Tensor, weights: Weights, seed: int = 0
) -> list[torch.Tensor] | None:
    """Give the tensors that a network gives in evaluation; None where it does not run.

    Args:
        network: Its modes and weights are left as they are.
        batch: One batch, where the network is.
        weights: Stand in for those of these names meanwhile.
        seed: Of the random numbers that its ``forward`` may draw.
    """
    devices = [batch.device] if batch.is_cuda else []
    try:
        with modes_restored(network), torch.random.fork_rng(devices), torch.no_grad():
            torch.manual_seed(seed)
            given = functional_call(network.eval(), weights, (batch,), tie_weights=False)
            return [each.clone() for each in utils.utils.flatten_as_list(given)]
    except Exception:  # Whatever somebody's forward() raises; ``require_runs`` tells it.
        return None


def _same(ones: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    """Say whether outputs agree; those that are not finite tell nothing."""
    if [one.shape for one in ones] != [other.shape for other in others]:
        return False
    for one, other in zip(ones, others, strict=True):
        exact = one.dtype in (torch.float32, torch.float64) and one.device.type == "cpu"
        bound = (TOLERANCE if exact else _COARSE) * one.double().abs()
        difference = (one.double() - other.double()).abs()
        if difference.numel() and float(difference.max()) > float(bound.max()):
            return False
    return True
