"""Soft k-means of scalars as a differentiable function, in bounded memory."""

from typing import cast

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

# Weights whose attention is held at a time; the backward pass computes it again.
_CHUNK = 1 << 16
# Of a centre's attention: with less it stays where it is, as nothing is near.
_LEAST = 1e-6


class SoftForm(nn.Module):
    """The softly shared weight of a latent one (Cho et al. 2022, section 3.2).

    Args:
        centers: Where the centres start, float, shape (K,).
        temperature: tau of the attention ``softmax(-|w - c| / tau)``.
        iterations: Iterations of soft k-means in a forward pass.

    Attributes:
        centers: Of the last forward pass in training; the next one starts there.
    """

    centers: torch.Tensor

    def __init__(self, centers: torch.Tensor, temperature: float, iterations: int) -> None:
        super().__init__()
        self.register_buffer("centers", centers.detach().clone())
        self.temperature, self.iterations = temperature, iterations

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Give the soft weight; where the network is only evaluated, the hard one."""
        if not (self.training and torch.is_grad_enabled()):
            return self.centers[self.nearest(latent)].reshape(latent.shape)
        # Centres lie closer together than bfloat16 tells apart, in which matrices are multiplied
        # where training is autocast.
        with torch.autocast(latent.device.type, enabled=False):
            return self._softly(latent)

    def _softly(self, latent: torch.Tensor) -> torch.Tensor:
        chunks, centers = latent.flatten().split(_CHUNK), self.centers
        for _ in range(self.iterations):
            centers = self._moved(chunks, centers)
        # A new tensor: the backward pass computes again from the one that this pass began with.
        self.centers = centers.detach()
        soft = [_again(_soft, chunk, centers, self.temperature) for chunk in chunks]
        return torch.cat(soft).reshape(latent.shape)

    def _moved(self, chunks: tuple[torch.Tensor, ...], centers: torch.Tensor) -> torch.Tensor:
        sums = [_again(_moments, chunk, centers, self.temperature) for chunk in chunks]
        weighted, total = torch.stack(sums).sum(0)
        found = total > _LEAST
        return torch.where(found, weighted / torch.where(found, total, 1.0), centers)

    def nearest(self, latent: torch.Tensor) -> torch.Tensor:
        """Give the number of the nearest centre of every weight, int64, flat."""
        chunks = latent.detach().flatten().split(_CHUNK)
        labels = [(each.unsqueeze(1) - self.centers).abs().argmin(1) for each in chunks]
        return torch.cat(labels)


def _attention(chunk: torch.Tensor, centers: torch.Tensor, temperature: float) -> torch.Tensor:
    distance = (chunk.unsqueeze(1) - centers).abs()
    return torch.softmax(-distance / temperature, dim=1)


def _moments(chunk: torch.Tensor, centers: torch.Tensor, temperature: float) -> torch.Tensor:
    """Sum attention times weight, and attention, over a chunk: shape (2, K)."""
    attention = _attention(chunk, centers, temperature)
    return torch.stack([chunk @ attention, attention.sum(0)])


def _soft(chunk: torch.Tensor, centers: torch.Tensor, temperature: float) -> torch.Tensor:
    return _attention(chunk, centers, temperature) @ centers


def _again(
    function: object, chunk: torch.Tensor, centers: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Call a function whose intermediate values are computed again in the backward pass."""
    given = checkpoint(
        function, chunk, centers, temperature, use_reentrant=False, preserve_rng_state=False
    )
    return cast(torch.Tensor, given)
