"""Augment a whole batch at once, on the device it lies on."""

import torch


def shift(images: torch.Tensor, pixels: int, generator: torch.Generator) -> torch.Tensor:
    """Move every image by its own whole number of pixels in each direction.

    Args:
        images: Shape (N, C, H, W); what moves in from outside is zero (MNIST's background).
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
