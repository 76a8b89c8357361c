"""Hashed weights: a small codebook and a hash that says who takes which value; no index."""

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.codes.base import Code, Stream
from clusterpress.codes.shared import Shared, sum_by_label
from clusterpress.ledger import Part

MAX_SEED = 1 << 16
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


class Hashed(Code):
    """A weight ``sign(i) * codebook[bucket(i)]`` of its row-major place i (Chen et al. 2015).

    Both come from ``hashes``; of its 64 bits the upper 63 modulo K are the bucket and the lowest
    is the sign. ``original`` is the codebook, float32, shape (K,).

    Stored: the codebook and the seed (as ``transform``, one symbol of 16 bits), and no index.

    Args:
        shape: Shape of the dense weight.
        size: Number of buckets K, at least 1.
        seed: Which hash, in ``[0, 65536)``.

    Raises:
        ValueError: ``size`` or ``seed`` is outside its range.
    """

    kind: ClassVar[str] = "hashed"
    parts: ClassVar[frozenset[Part]] = frozenset({"codebook", "transform"})
    signs: torch.Tensor

    def __init__(self, shape: tuple[int, ...], size: int, seed: int) -> None:
        super().__init__()
        if size < 1 or not 0 <= seed < MAX_SEED:
            raise ValueError(f"a hash {seed} of {size} buckets: needs a bucket, seed below 65536")
        bits = hashes(prod(shape), seed)
        buckets = ((bits >> np.uint64(1)) % np.uint64(size)).astype(np.int64)
        signs = 1 - 2 * (bits & np.uint64(1)).astype(np.int8)
        self.buckets = Shared(torch.from_numpy(buckets), shape)
        self.register_buffer("signs", torch.from_numpy(signs).reshape(shape))
        self.size, self.seed = size, seed

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight."""
        values: torch.Tensor = self.buckets(original)
        return values * self.signs.to(original)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the mean of ``sign * weight`` over every bucket (the least squared error)."""
        signed, labels = (weight * self.signs.to(weight)).flatten(), self.buckets.labels.long()
        counts = torch.bincount(labels, minlength=self.size).clamp(min=1)
        return sum_by_label(signed, labels, self.size) / counts

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List the codebook and the seed."""
        return [
            Stream("codebook", original.detach().cpu().numpy()),
            Stream("transform", np.array([self.seed]), MAX_SEED),
        ]

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the hash from the seed."""
        codebook = torch.from_numpy(streams["codebook"])
        return cls(shape, codebook.numel(), int(streams["transform"][0])), codebook

    @classmethod
    def check_sizes(
        cls, shape: tuple[int, ...], counts: Mapping[str, int], alphabets: Mapping[str, int]
    ) -> None:
        """Check that there is a codebook, no larger than the weight, and one seed."""
        if not 1 <= counts["codebook"] <= prod(shape):
            raise ValueError(f"{counts['codebook']} buckets for a weight of shape {shape}")
        if (alphabets["transform"], counts["transform"]) != (MAX_SEED, 1):
            raise ValueError("transform does not hold one seed")

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give the dtype of the codebook, float32."""
        if dtypes["codebook"] != "f4":
            raise ValueError(f"a codebook of dtype {dtypes['codebook']!r} must hold floats")
        return "f4"


def hashes(count: int, seed: int) -> npt.NDArray[np.uint64]:
    """Give 64 hashed bits for each of the places 0 … count - 1.

    SplitMix64 (Steele, Lea and Flood 2014): its outputs after the state ``mix(seed * 2^40)``;
    not mixed, one seed's sequence would be a shifted copy of another's. Integers alone, modulo
    2^64: every machine agrees.
    """
    places = np.arange(1, count + 1, dtype=np.uint64)
    start = _mixed(np.array([seed], dtype=np.uint64) << np.uint64(40))
    return _mixed(start + places * _INCREMENT)


def _mixed(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    for shift, factor in _FACTORS:
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return state ^ (state >> np.uint64(31))
