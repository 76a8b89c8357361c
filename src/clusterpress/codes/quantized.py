"""Uniformly quantised weights: whole levels times a scale, from a zero point on."""

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.codes.base import Code, Stream
from clusterpress.ledger import Part

MAX_LEVELS = 256


class Quantized(Code):
    """A weight ``scale * (level - zero)``; the levels are frozen, scale and zero point learn.

    ``original`` holds the scales and, where the code is affine, the zero points in units of
    levels, float32, shape (1, groups) or (2, groups). A symmetric code's zero point is the middle
    of the levels. There is one group, or one for each output.

    Stored besides: ``transform``, two symbols that say how to read the others: the number of levels
    minus one, and 1 for affine.

    Args:
        labels: Level of every weight, integer in ``[0, levels)``, in the weight's shape.
        levels: Number of levels, 2 to 256.
        affine: Whether there are zero points.

    Raises:
        ValueError: A level is outside its range.
    """

    kind: ClassVar[str] = "quantized"
    parts: ClassVar[frozenset[Part]] = frozenset({"index", "scale", "transform"})
    labels: torch.Tensor

    def __init__(self, labels: torch.Tensor, levels: int, *, affine: bool) -> None:
        super().__init__()
        if not 2 <= levels <= MAX_LEVELS:
            raise ValueError(f"{levels} levels are not from 2 to {MAX_LEVELS}")
        if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < levels:
            raise ValueError(f"level {int(labels.max())} of {levels}")
        self.register_buffer("labels", labels.long())
        self.levels, self.affine = levels, affine

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight."""
        scale, zero = self._columns(original)
        return scale * (self.labels.to(original) - zero)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the range of the weight in one group, as the quantiser would have chosen it."""
        return ranges(weight.reshape(1, -1), self.levels, affine=self.affine)

    def _columns(self, original: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (-1, *[1] * (self.labels.ndim - 1))
        middle = torch.full_like(original[0], (self.levels - 1) / 2)
        zero = original[1] if self.affine else middle
        return original[0].reshape(shape), zero.reshape(shape)

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List the levels, the scales (and zero points) and how to read them."""
        return [
            Stream("index", self.labels.cpu().flatten().numpy(), self.levels),
            Stream("scale", original.detach().cpu().flatten().numpy()),
            Stream("transform", np.array([self.levels - 1, int(self.affine)]), MAX_LEVELS),
        ]

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the levels and the scales."""
        last, affine = (int(symbol) for symbol in streams["transform"])
        if affine not in (0, 1):
            raise ValueError(f"{affine} is neither affine (1) nor symmetric (0)")
        scales, groups = streams["scale"], streams["scale"].size // (1 + affine)
        outputs = shape[0] if shape else 1
        if scales.size % (1 + affine) or groups not in (1, outputs):
            raise ValueError(f"{scales.size} scales for {outputs} outputs")
        labels = torch.from_numpy(streams["index"].astype(np.int64)).reshape(shape)
        code = cls(labels, last + 1, affine=bool(affine))
        return code, torch.from_numpy(scales).reshape(1 + affine, groups)

    @classmethod
    def check_sizes(
        cls, shape: tuple[int, ...], counts: Mapping[str, int], alphabets: Mapping[str, int]
    ) -> None:
        """Check the numbers of levels, symbols and scales."""
        super().check_sizes(shape, counts, alphabets)
        whole = (alphabets["transform"], counts["transform"]) == (MAX_LEVELS, 2)
        if not whole or not 2 <= alphabets["index"] <= MAX_LEVELS:
            raise ValueError(f"{alphabets['index']} levels are not from 2 to {MAX_LEVELS}")
        if not 1 <= counts["scale"] <= 2 * max(1, prod(shape[:1])):
            raise ValueError(f"{counts['scale']} scales for a weight of shape {shape}")

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give the dtype of the scales, float32."""
        if dtypes["scale"] != "f4":
            raise ValueError(f"scales of dtype {dtypes['scale']!r} must hold floats of 4 bytes")
        return "f4"


def ranges(rows: torch.Tensor, levels: int, *, affine: bool) -> torch.Tensor:
    """Give the scales (and zero points) whose levels span each row's values.

    Args:
        rows: Values by group, float, shape (groups, n).
        levels: Number of levels, at least 2.
        affine: From the least to the largest value, zero included, and the zero point a whole
            level, so that a zero stays one; else from minus the largest magnitude to plus it.

    Returns:
        Shape (2, groups) where affine, else (1, groups).
    """
    tiny = torch.finfo(rows.dtype).tiny
    if not affine:
        return (2 * rows.abs().amax(1) / (levels - 1)).clamp(min=tiny).unsqueeze(0)
    low, high = rows.amin(1).clamp(max=0), rows.amax(1).clamp(min=0)
    scale = ((high - low) / (levels - 1)).clamp(min=tiny)
    return torch.stack([scale, (-low / scale).round()])


def nearest_levels(rows: torch.Tensor, original: torch.Tensor, levels: int) -> torch.Tensor:
    """Give the level nearest to every value, float, in the shape of ``rows`` (groups, n)."""
    middle = torch.full_like(original[0], (levels - 1) / 2)
    zero = original[1] if len(original) == 2 else middle
    return (rows / original[0].unsqueeze(1) + zero.unsqueeze(1)).round().clamp(0, levels - 1)
