"""The network of the golden files, by formulas that no random generator can change."""

from pathlib import Path

import torch
from torch import nn

from clusterpress.codes import Masked, Shared, attach

from .networks import Small

GOLDEN = Path(__file__).with_name("golden.safetensors")
GOLDEN_2 = Path(__file__).with_name("golden2.safetensors")
# As if 64 symbols were many.
GOLDEN_2_FAST = Path(__file__).with_name("golden2_fast.safetensors")
CODERS = {
    GOLDEN: {"raw", "constant", "packed", "ans", "grid"},
    GOLDEN_2: {"constant", "mixed"},
    GOLDEN_2_FAST: {"constant", "mixed", "fast"},
}
OPTIONS = {
    "architecture": {"name": "small", "args": {"filters": 4, "norm": True, "rate": 0.5}},
    "reference": {"ip1.weight": 4000, "ip1.bias": 50},
    "position_bits": 4,
}


def ramp(shape: torch.Size, step: int = 37) -> torch.Tensor:
    """Values k/64, exact in every float dtype."""
    count = shape.numel()
    return ((torch.arange(count) * step % 101 - 50) / 64).reshape(shape)


def golden_network() -> Small:
    """Every kind of tensor, and together every coder."""
    network = Small().eval()
    with torch.no_grad():
        for number, value in enumerate(network.state_dict().values()):
            value.copy_(ramp(value.shape, 11 + 2 * number) * (64 if value.dtype.is_signed else 1))
    _mask(network.conv)
    _share(network.ip1, 16, skewed=True)
    _share(network.ip2, 4, skewed=False)
    labels = torch.zeros(4, dtype=torch.long)
    attach(network.norm, "weight", Shared(labels, (4,)), torch.tensor([0.75]))
    return network


def _mask(layer: nn.Module) -> None:
    mask = torch.ones(layer.weight.shape, dtype=torch.bool)
    attach(layer, "weight", Masked(mask), ramp(layer.weight.shape))


def _share(layer: nn.Module, size: int, *, skewed: bool) -> None:
    count = layer.weight.numel()
    places = torch.arange(count)
    if not skewed:
        code = Shared(places * 7 % size, tuple(layer.weight.shape), None, torch.float16)
    else:
        mask = ((places * 29 % 97 < 70) & (places % 64 > 47)).reshape(layer.weight.shape)
        kept = torch.arange(int(mask.sum()))
        code = Shared((kept * 13 % 31) ** 4 // 54001, tuple(layer.weight.shape), mask)
    attach(layer, "weight", code, ramp(torch.Size([size])))
