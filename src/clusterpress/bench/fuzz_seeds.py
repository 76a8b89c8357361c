"""What the fuzzer begins with: a small file of every code, and the networks that take them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clusterpress.artifact import save
from clusterpress.bench.fuzz_parts import unseal
from clusterpress.codes import (
    Binary,
    Code,
    Hashed,
    Kernels,
    KernelSet,
    Masked,
    Product,
    Quantized,
    Shared,
    Ternary,
    attach,
    weight_layers,
)
from clusterpress.models import MODELS

_ARCHITECTURE = "lenet300_100"
_FC, _CONV = (8, 24), (4, 2, 3, 3)


def linear() -> nn.Module:
    """Give the network that takes files without a convolution."""
    return nn.Linear(_FC[1], _FC[0])


def convolutions() -> nn.Module:
    """Give the network that takes files with convolutions: two of them."""
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.Conv2d(4, 3, 3, bias=False))


def normed() -> nn.Module:
    """Give the network that takes files with buffers."""
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4))


def target(data: bytes) -> nn.Module:
    """Give the network that a file, perhaps a damaged one, is most likely for."""
    try:
        text = unseal(data).text
    except ValueError:
        text = ""
    if "conv" not in text:
        return linear()
    return normed() if "buffer" in text else convolutions()


def write(folder: Path) -> list[Path]:
    """Write one file for every seed, the same whenever it is called."""
    files = []
    for name, (make, options) in SEEDS.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            save(make().eval(), folder / name, **options)
        files.append(folder / name)
    return files


def _mask(shape: tuple[int, ...]) -> torch.Tensor:
    """Keep weights by class of column, none of the first, so that the grid coder wins."""
    classes = torch.arange(shape[-1]) * 3 // shape[-1]
    return torch.rand(shape) < torch.tensor([0.0, 0.3, 1.0])[classes]


def _coded(make: Callable[[], tuple[Code, torch.Tensor]], network: Callable[[], nn.Module]) -> Any:
    def made() -> nn.Module:
        whole = network()
        first = whole[0] if isinstance(whole, nn.Sequential) else whole
        attach(first, "weight", *make())
        return whole

    return made


def _masked(shape: tuple[int, ...]) -> tuple[Code, torch.Tensor]:
    return Masked(_mask(shape)), torch.randn(shape)


def _shared(
    keep: bool, dtype: torch.dtype, shape: tuple[int, ...] = _FC
) -> tuple[Code, torch.Tensor]:
    mask = _mask(shape) if keep else None
    count = int(mask.sum()) if mask is not None else torch.Size(shape).numel()
    # Skewed, so that the entropy coder wins over plain bits.
    labels = (torch.rand(count) ** 4 * 5).long()
    return Shared(labels, shape, mask, dtype), torch.randn(5)


def _binary(shape: tuple[int, ...]) -> tuple[Code, torch.Tensor]:
    return Binary(torch.randint(2, shape)), torch.rand(shape[0])


def _quantized(affine: bool) -> tuple[Code, torch.Tensor]:
    return Quantized(torch.randint(9, _FC), 9, affine=affine), torch.rand(1 + affine, _FC[0])


def _product(
    shape: tuple[int, ...], blocks: int, parts: int, width: int
) -> tuple[Code, torch.Tensor]:
    return Product(torch.randint(3, (blocks,)), shape, parts), torch.randn(parts, 3, width)


def _kernels(transforms: bool, scaled: bool, pruned: bool) -> nn.Module:
    network = convolutions()
    own = KernelSet(torch.randn(3, 9), torch.float16 if transforms else torch.float32)
    for _, layer in weight_layers(network):
        shape = tuple(layer.weight.shape)
        turns = torch.randint(8, shape[:2]) if transforms else None
        mask = torch.ones(shape[:2], dtype=torch.bool)
        mask[0] = not pruned
        labels = torch.randint(3, shape[:2])
        code = Kernels(labels, own, shape, transforms=turns, mask=mask, scaled=scaled)
        attach(layer, "weight", code, torch.randn(shape[:2]) if scaled else torch.empty(0))
    return network


def _whole_lenet() -> nn.Module:
    network = MODELS[_ARCHITECTURE]()
    for _, layer in weight_layers(network):
        attach(layer, "weight", Hashed(tuple(layer.weight.shape), 4, 1), torch.rand(4))
    return network


_LINEAR: dict[str, Callable[[], tuple[Code, torch.Tensor]]] = {
    "masked": partial(_masked, _FC),
    "shared": partial(_shared, False, torch.float32),
    "shared_masked": partial(_shared, True, torch.float32),
    "shared_half": partial(_shared, True, torch.float16),
    "ternary": lambda: (Ternary(torch.randint(3, _FC)), torch.rand(2)),
    "binary": partial(_binary, _FC),
    "affine": partial(_quantized, True),
    "symmetric": partial(_quantized, False),
    "product": partial(_product, _FC, 48, 3, 4),
    "hashed": lambda: (Hashed(_FC, 7, 4), torch.rand(7)),
}
_CONVOLUTION: dict[str, Callable[[], tuple[Code, torch.Tensor]]] = {
    "conv_masked": partial(_masked, _CONV),
    "conv_shared": partial(_shared, True, torch.float32, _CONV),
    "conv_binary": partial(_binary, _CONV),
    "conv_product": partial(_product, _CONV, 8, 1, 9),
}
SEEDS: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "dense": (linear, {"reference": {"weight": 99}, "position_bits": 4}),
    "double": (lambda: linear().double(), {}),
    "half": (lambda: linear().half(), {}),
    "bfloat16": (lambda: linear().bfloat16(), {}),
    "conv_dense": (convolutions, {}),
    "normed": (normed, {}),
    "normed_bfloat16": (lambda: normed().bfloat16(), {}),
    **{name: (_coded(make, linear), {}) for name, make in _LINEAR.items()},
    **{name: (_coded(make, convolutions), {}) for name, make in _CONVOLUTION.items()},
    "kernels": (partial(_kernels, False, True, False), {}),
    "kernels_turned": (partial(_kernels, True, True, True), {}),
    "kernels_unscaled": (partial(_kernels, False, False, False), {}),
    "lenet": (_whole_lenet, {"architecture": {"name": _ARCHITECTURE, "args": {"classes": 10}}}),
}
