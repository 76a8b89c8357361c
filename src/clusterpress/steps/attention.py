"""Soft k-means of scalars or blocks as a differentiable function, in bounded memory."""

from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

# Weights or blocks whose attention is held at a time, and entries of that attention at most; the
# backward pass computes it again.
_CHUNK, _ENTRIES = 1 << 16, 1 << 24
# Of a centre's attention: with less it stays where it is, as nothing is near.
_LEAST = 1e-6

Given = TypeVar("Given")


class SoftForm(nn.Module):
    """The softly shared weight of a latent one (Cho et al. 2022, section 3.2).

    Args:
        centers: Where the centres start, float: shape (K,) for scalars, or (K, d) for blocks of d
            neighbours of the flat weight, whose distance is Euclidean.
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
        chunks, centers = self._chunks(latent), self.centers
        for _ in range(self.iterations):
            centers = self._moved(chunks, centers)
        # A new tensor: the backward pass computes again from the one that this pass began with.
        self.centers = centers.detach()
        soft = [_again(_soft, chunk, centers, self.temperature) for chunk in chunks]
        return torch.cat(soft).reshape(latent.shape)

    def _moved(self, chunks: tuple[torch.Tensor, ...], centers: torch.Tensor) -> torch.Tensor:
        sums = [_again(_moments, chunk, centers, self.temperature) for chunk in chunks]
        weighted, total = (torch.stack(part).sum(0) for part in zip(*sums, strict=True))
        total = total.reshape(-1, *[1] * (centers.ndim - 1))
        found = total > _LEAST
        return torch.where(found, weighted / torch.where(found, total, 1.0), centers)

    def nearest(self, latent: torch.Tensor) -> torch.Tensor:
        """Give the number of the nearest centre of every weight or block, int64, flat."""
        chunks = self._chunks(latent.detach())
        return torch.cat([_distances(each, self.centers).argmin(1) for each in chunks])

    def _chunks(self, latent: torch.Tensor) -> tuple[torch.Tensor, ...]:
        blocks = latent.reshape(-1, *self.centers.shape[1:])
        rows = max(1, min(_CHUNK, _ENTRIES // len(self.centers)))
        return cast(tuple[torch.Tensor, ...], blocks.split(rows))


def _distances(chunk: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    if centers.ndim == 1:
        return (chunk.unsqueeze(1) - centers).abs()
    # The expanded square would lose the digits by which near centres differ.
    return torch.cdist(chunk, centers, compute_mode="donot_use_mm_for_euclid_dist")


def _attention(chunk: torch.Tensor, centers: torch.Tensor, temperature: float) -> torch.Tensor:
    return torch.softmax(-_distances(chunk, centers) / temperature, dim=1)


def _moments(
    chunk: torch.Tensor, centers: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum attention times weight (the centres' shape), and attention (K,), over a chunk."""
    attention = _attention(chunk, centers, temperature)
    return attention.T @ chunk, attention.sum(0)


def _soft(chunk: torch.Tensor, centers: torch.Tensor, temperature: float) -> torch.Tensor:
    return _attention(chunk, centers, temperature) @ centers


def _again(
    function: Callable[[torch.Tensor, torch.Tensor, float], Given],
    chunk: torch.Tensor,
    centers: torch.Tensor,
    temperature: float,
) -> Given:
    """Call a function whose intermediate values are computed again in the backward pass."""
    given = checkpoint(
        function, chunk, centers, temperature, use_reentrant=False, preserve_rng_state=False
    )
    return cast(Given, given)
