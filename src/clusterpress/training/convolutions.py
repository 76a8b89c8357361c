"""Convolutions of small images as one matrix product, where the processor is faster at those.

oneDNN's convolutions in bfloat16 take longer than the product of the same numbers where an image
has a few pixels and many channels, as in the last layers of VGG. ``make bench-training`` times
whole trainings with them against a bare loop without.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from clusterpress.codes import own_methods
from clusterpress.training.precision import instructions

MOST_PIXELS = {"amx_bf16": 16, "avx512_bf16": 9}
"""Above so many places of an image the kernels' windows cost more than the product saves.

By what the processor can do, the best first: it multiplies tiles (Intel's Xeon here), or adds
products of pairs (AMD's EPYC here). No other one was tried.
"""
FEWEST_KERNELS = 128 * 128
"""Below so many kernels oneDNN's convolution is as fast on the Xeon; so many gain on both."""


@contextmanager
def as_products(network: nn.Module, precision: str, accelerator: str) -> Iterator[None]:
    """Let a network's convolutions of 3x3 over small images be matrix products for a while.

    Nothing happens unless ``precision`` is ``bf16`` and the CPU has one of the instructions in
    ``MOST_PIXELS``, nor where autocast is off. Sums are of float32, as in oneDNN's convolutions;
    their order differs.

    Args:
        network: Its layers come back as they were.
        precision: ``32`` or ``bf16``.
        accelerator: ``cpu`` or ``gpu``.
    """
    most = _most_pixels() if (precision, accelerator) == ("bf16", "cpu") else 0
    layers = list(_suited(network)) if most else []
    for layer in layers:
        layer.__dict__["_conv_forward"] = partial(_convolve, layer, most)
    try:
        yield
    finally:
        for layer in layers:
            del layer.__dict__["_conv_forward"]


def _most_pixels() -> int:
    able = instructions()
    return next((most for name, most in MOST_PIXELS.items() if name in able), 0)


def _suited(network: nn.Module) -> Iterator[nn.Conv2d]:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and _suits(layer):
            yield layer


def _suits(layer: nn.Conv2d) -> bool:
    return (
        not own_methods(layer, nn.Conv2d)
        and layer.kernel_size == (3, 3)
        and layer.padding in ((1, 1), "same")
        and (layer.stride, layer.dilation) == ((1, 1), (1, 1))
        and (layer.groups, layer.padding_mode) == (1, "zeros")
        and layer.in_channels * layer.out_channels >= FEWEST_KERNELS
    )


def _convolve(
    layer: nn.Conv2d,
    most_pixels: int,
    images: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    output: torch.Tensor
    small = images.ndim == 4 and images.shape[2] * images.shape[3] <= most_pixels
    if not (small and torch.is_autocast_enabled("cpu")):
        output = nn.Conv2d._conv_forward(layer, images, weight, bias)
        return output
    given = (images.bfloat16(), weight.bfloat16(), None if bias is None else bias.bfloat16())
    with torch.autocast("cpu", enabled=False):
        output = Product.apply(*given)  # type: ignore[no-untyped-call]
    return output


class Product(torch.autograd.Function):
    """Convolve images (N, C, H, W) by kernels (D, C, 3, 3), with one pixel of zeros around."""

    @staticmethod
    def forward(
        ctx: Any, images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """Give (N, D, H, W), in memory in the order of the images."""
        ctx.save_for_backward(images, weight)
        return _product(images, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Give the gradients by images, weight and bias, None where nothing asks for one."""
        images, weight = ctx.saved_tensors
        by_images, by_weight, by_bias = ctx.needs_input_grad
        # A place's gradient comes from the places around it, through the kernels turned about.
        turned = weight.flip(2, 3).transpose(0, 1)
        return (
            _product(gradient, turned, None) if by_images else None,
            _by_weight(images, gradient) if by_weight else None,
            gradient.sum((0, 2, 3)) if by_bias else None,
        )


def _product(images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    count, _, height, width = images.shape
    shape = (count, len(weight), height, width)
    # No view of the rows: what is done in place to a view from a Function is refused.
    output = torch.empty(shape, dtype=images.dtype, memory_format=torch.channels_last)
    rows = output.permute(0, 2, 3, 1).view(count * height * width, len(weight))
    columns = weight.permute(0, 2, 3, 1).flatten(1).t()
    if bias is None:
        torch.mm(_windows(images), columns, out=rows)
    else:
        torch.addmm(bias, _windows(images), columns, out=rows)
    last = images.is_contiguous(memory_format=torch.channels_last)
    return output if last else output.contiguous()


def _by_weight(images: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    rows = gradient.permute(1, 0, 2, 3).flatten(1)
    count, channels = len(rows), images.shape[1]
    return (rows @ _windows(images)).view(count, 3, 3, channels).permute(0, 3, 1, 2)


def _windows(images: torch.Tensor) -> torch.Tensor:
    """Give the 3x3 neighbours of every place: (N, C, H, W) to (N*H*W, 9*C)."""
    count, channels, height, width = images.shape
    around = pad(images.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    row, line, place, channel = around.stride()
    windows = around.as_strided(
        (count, height, width, 3, 3, channels), (row, line, place, line, place, channel)
    )
    return windows.reshape(count * height * width, 9 * channels)
