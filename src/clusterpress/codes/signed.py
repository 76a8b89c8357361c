"""Weights of two or three values: a sign and few scales (BWN, TTQ)."""

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.codes.base import Code, Stream
from clusterpress.ledger import Part


class _Signed(Code):
    """Frozen symbols, one a weight, that choose among values made of the trainable scales."""

    parts: ClassVar[frozenset[Part]] = frozenset({"index", "scale"})
    symbols: ClassVar[int]
    labels: torch.Tensor

    def __init__(self, labels: torch.Tensor) -> None:
        super().__init__()
        if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < self.symbols:
            raise ValueError(f"symbols outside [0, {self.symbols}) in a {self.kind} weight")
        self.register_buffer("labels", labels.long())

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List the symbols and the scales."""
        labels = self.labels.cpu().flatten().numpy()
        return [
            Stream("index", labels, self.symbols),
            Stream("scale", original.detach().cpu().flatten().numpy()),
        ]

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the symbols and the scales."""
        labels, scales = streams["index"], streams["scale"]
        if labels.size != prod(shape) or scales.size != cls.scales(shape):
            raise ValueError(
                f"{labels.size} symbols and {scales.size} scales for a {cls.kind} weight of "
                f"shape {shape}"
            )
        index = torch.from_numpy(labels.astype(np.int64)).reshape(shape)
        return cls(index), torch.from_numpy(scales)

    @classmethod
    def check_sizes(
        cls, shape: tuple[int, ...], counts: Mapping[str, int], alphabets: Mapping[str, int]
    ) -> None:
        """Check the alphabet and the numbers of symbols and of scales."""
        super().check_sizes(shape, counts, alphabets)
        if alphabets["index"] != cls.symbols or counts["scale"] != cls.scales(shape):
            raise ValueError(
                f"an alphabet of {alphabets['index']} and {counts['scale']} scales, which no "
                f"{cls.kind} weight of shape {shape} has"
            )

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give the dtype of the scales, float32."""
        if dtypes["scale"] != "f4":
            raise ValueError(f"scales of dtype {dtypes['scale']!r} must hold floats of 4 bytes")
        return "f4"

    @classmethod
    def scales(cls, shape: tuple[int, ...]) -> int:
        """Give the number of scales of a weight; 2 unless a code says otherwise."""
        del shape
        return 2


class Ternary(_Signed):
    """A weight of the values ``-s_n``, 0 and ``s_p`` (Zhu et al. 2017).

    ``original`` is ``(s_p, s_n)``, float32, shape (2,).

    Args:
        labels: 0 for ``-s_n``, 1 for zero, 2 for ``s_p``, integer, in the weight's shape.

    Raises:
        ValueError: A label is none of these.
    """

    kind: ClassVar[str] = "ternary"
    symbols: ClassVar[int] = 3

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight."""
        positive, negative = self.labels == 2, self.labels == 0
        return original[0] * positive - original[1] * negative

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the mean of the positive members and of the negated negative ones."""
        members = ((self.labels == 2, weight), (self.labels == 0, -weight))
        return torch.stack([(value * on).sum() / on.sum().clamp(min=1) for on, value in members])


class Binary(_Signed):
    """A weight of the values ``-s_o`` and ``s_o`` in filter o (Rastegari et al. 2016).

    ``original`` is the scales, float32, shape (outputs,).

    Args:
        labels: 0 for minus, 1 for plus, integer, in the weight's shape.

    Raises:
        ValueError: A label is neither.
    """

    kind: ClassVar[str] = "binary"
    symbols: ClassVar[int] = 2

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight."""
        signs = (2 * self.labels - 1).to(original)
        return signs * original.reshape(-1, *[1] * (signs.ndim - 1))

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the mean of ``sign * weight`` over every filter (the least squared error)."""
        signs = (2 * self.labels - 1).to(weight)
        return (signs * weight).flatten(1).mean(1)

    @classmethod
    def scales(cls, shape: tuple[int, ...]) -> int:
        """Give the number of filters."""
        return shape[0] if shape else 0
