"""Pruned weights: a frozen 0/1 mask over a dense weight that goes on learning."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy.typing as npt
import torch

from clusterpress.codes.base import Code, Stream
from clusterpress.codes.lookup import in_one_pass, kept
from clusterpress.ledger import Part


class Masked(Code):
    """A weight whose pruned entries are and stay zero (Han et al. 2015).

    Args:
        mask: True where a weight is kept, bool, in the weight's shape.
    """

    kind: ClassVar[str] = "masked"
    parts: ClassVar[frozenset[Part]] = frozenset({"position", "dense"})
    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask.bool())

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the weight with zeros where it is pruned; gradients there are zero too."""
        return kept(original, self.mask) if in_one_pass(original) else original * self.mask

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the weight itself, pruned."""
        return weight * self.mask

    def dense_shape(self, original: torch.Tensor, /) -> tuple[int, ...]:
        """Give the shape without the weight."""
        return tuple(original.shape)

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List the mask and the kept values in row-major order."""
        mask = self.mask.cpu()
        return [
            Stream("position", mask.view(torch.uint8).numpy(), 2),
            Stream("dense", original.detach().cpu()[mask].numpy()),
        ]

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the mask and the weight, zero where it is pruned."""
        mask = torch.from_numpy(streams["position"]).view(torch.bool).reshape(shape)
        values = torch.from_numpy(streams["dense"])
        if values.numel() != int(mask.sum()):
            raise ValueError(
                f"{values.numel()} kept values for a mask that keeps {int(mask.sum())}"
            )
        original = torch.zeros(shape, dtype=values.dtype)
        original[mask] = values
        return cls(mask), original

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give the dtype of the kept values."""
        dtype = dtypes["dense"]
        if dtype not in ("f2", "f4", "f8"):
            raise ValueError(f"kept values of dtype {dtype!r} do not learn: they must hold floats")
        return dtype
