"""Augment a whole batch at once, on the device it lies on."""

import torch

from clusterpress.training.recipe import CROP


def shift(images: torch.Tensor, pixels: int, generator: torch.Generator) -> torch.Tensor:
    """Move every image by its own whole number of pixels in each direction.

    Args:
        images: Shape (N, C, H, W); what moves in from outside is zero (MNIST's background). With
            4 pixels this is the crop of padded images that CIFAR's papers train on.
        pixels: Largest move; each of the ``(2 * pixels + 1) ** 2`` moves is equally likely.
        generator: On the images' device.
    """
    count, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (pixels, pixels, pixels, pixels))
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(
        2 * pixels + 1, (2, count), generator=generator, device=images.device
    )
    # Advanced indices around a slice: the result's axes are (N, C, H, W).
    return windows[torch.arange(count, device=images.device), :, down, right]


def flip(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror every image left to right with probability one half.

    Args:
        images: Shape (N, C, H, W).
        generator: On the images' device.
    """
    turned = torch.rand(len(images), generator=generator, device=images.device) < 0.5
    return torch.where(turned.view(-1, 1, 1, 1), images.flip(3), images)


def augment(
    images: torch.Tensor, kind: str, pixels: int, generator: torch.Generator
) -> torch.Tensor:
    """Augment a batch as a recipe says.

    Args:
        images: Shape (N, C, H, W).
        kind: One of ``recipe.AUGMENTATIONS``.
        pixels: Largest move of ``shift``.
        generator: On the images' device.
    """
    if kind in ("none", CROP):
        return images  # images in files are cropped where they are read
    moved = shift(images, pixels, generator)
    return flip(moved, generator) if kind == "shift_flip" else moved
