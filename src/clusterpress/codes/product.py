"""Weights cut into blocks, each one of the rows of a codebook."""

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.codes.base import Code, Stream
from clusterpress.ledger import Part

MAX_PARTS = 1 << 16


class Product(Code):
    """A weight whose rows are cut into blocks of d neighbours (Gong et al. 2014, section 3.3).

    Block b of a row takes its values from codebook ``b % parts``: with as many parts as there are
    blocks in a row this is product quantisation, with one part all blocks of the layer share one
    codebook (Stock et al. 2020, section 3.1; a convolution's kernels are its blocks).
    ``original`` is the codebooks, float32, shape (parts, K, d).

    Stored besides: ``transform``, one symbol, the number of parts minus one.

    Args:
        labels: Row of its codebook for every block in row-major order, integer, shape (blocks,).
        shape: Shape of the dense weight.
        parts: Number of codebooks.

    Raises:
        ValueError: The blocks do not divide the weight's rows, or the parts a row's blocks.
    """

    kind: ClassVar[str] = "product"
    parts: ClassVar[frozenset[Part]] = frozenset({"index", "codebook", "transform"})
    labels: torch.Tensor
    codebooks: torch.Tensor

    def __init__(self, labels: torch.Tensor, shape: tuple[int, ...], parts: int) -> None:
        super().__init__()
        check_blocks(shape, labels.numel(), parts)
        self.register_buffer("labels", labels.flatten().long())
        self.register_buffer("codebooks", torch.arange(labels.numel()) % parts)
        self.shape, self.number = tuple(shape), parts

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight."""
        rows = self.codebooks * original.shape[1] + self.labels
        # index_select's gradient adds in a fixed order on a CPU, block by block.
        return original.flatten(0, 1).index_select(0, rows).reshape(self.shape)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the mean of every codebook row's members; zero for one without members."""
        k = int(self.labels.max()) + 1 if self.labels.numel() else 0
        rows = self.codebooks * k + self.labels
        blocks = weight.reshape(self.labels.numel(), -1)
        sums = blocks.new_zeros(self.number * k, blocks.shape[1]).index_add(0, rows, blocks)
        counts = torch.bincount(rows, minlength=self.number * k).clamp(min=1)
        return (sums / counts.unsqueeze(1)).reshape(self.number, k, -1)

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List the index, the codebooks and the number of parts."""
        return [
            Stream("index", self.labels.cpu().numpy(), original.shape[1]),
            Stream("codebook", original.detach().cpu().flatten().numpy()),
            Stream("transform", np.array([self.number - 1]), MAX_PARTS),
        ]

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the index and the codebooks."""
        labels = torch.from_numpy(streams["index"].astype(np.int64))
        parts = int(streams["transform"][0]) + 1
        code, width = cls(labels, shape, parts), prod(shape) // max(1, labels.numel())
        values = torch.from_numpy(streams["codebook"])
        if width == 0 or values.numel() % (parts * width):
            raise ValueError(f"{values.numel()} values for {parts} codebooks of width {width}")
        codebook = values.reshape(parts, -1, width)
        if labels.numel() and int(labels.max()) >= codebook.shape[1]:
            raise ValueError(f"label {int(labels.max())} in a codebook of {codebook.shape[1]}")
        return code, codebook

    @classmethod
    def check_sizes(
        cls, shape: tuple[int, ...], counts: Mapping[str, int], alphabets: Mapping[str, int]
    ) -> None:
        """Check that the codebook can hold all of the index's rows."""
        check_blocks(shape, counts["index"], 1)
        width = prod(shape) // counts["index"]
        rows, rest = divmod(counts["codebook"], width)
        if rest or not 1 <= alphabets["index"] <= rows or rows % alphabets["index"]:
            raise ValueError(
                f"alphabet of index is {alphabets['index']}, its codebook has {rows} rows"
            )
        if (alphabets["transform"], counts["transform"]) != (MAX_PARTS, 1):
            raise ValueError("transform does not hold one number of parts")

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give the dtype of the codebook, float32."""
        if dtypes["codebook"] != "f4":
            raise ValueError(f"a codebook of dtype {dtypes['codebook']!r} must hold floats")
        return "f4"


def check_blocks(shape: tuple[int, ...], blocks: int, parts: int) -> None:
    """Check that a weight's rows consist of whole blocks, and those of whole sets of parts.

    Raises:
        ValueError: They do not.
    """
    outputs, row = shape[0] if shape else 0, prod(shape[1:])
    if outputs < 1 or blocks < 1 or blocks % outputs or row % (blocks // outputs):
        raise ValueError(f"{blocks} blocks do not divide the rows of a weight of shape {shape}")
    if not 1 <= parts <= MAX_PARTS or (blocks // outputs) % parts:
        raise ValueError(f"{parts} parts do not divide the {blocks // outputs} blocks of a row")
