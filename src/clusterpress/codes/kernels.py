"""Convolution kernels that share the kernels of a set, each with a scale (Son et al. 2018)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.clustering import square_turns
from clusterpress.codes.base import Code, Stream
from clusterpress.codes.expand import expand
from clusterpress.ledger import Part

TRANSFORMS = (1, 2, 4, 8)


class KernelSet(nn.Module):
    """The centroids of a set of kernels, which the codes of all its layers hold.

    Args:
        centroids: What the kernels share, float32, shape (K, h w).
        dtype: In which they are stored, and computed with: float32 or float16.
    """

    def __init__(self, centroids: torch.Tensor, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        if centroids.ndim != 2:
            raise ValueError(f"centroids of shape {tuple(centroids.shape)} are no rows of taps")
        self.centroids = nn.Parameter(centroids.detach().clone())
        self.dtype = dtype

    def forward(self) -> torch.Tensor:
        """Give the centroids as they will be stored; the gradient passes the rounding."""
        return _rounded(self.centroids, self.dtype)


class Kernels(Code):
    """A convolution weight of which every kernel is a scaled, transformed centroid.

    ``weight[o, i] = scale[o, i] * T_t(centroids[label[o, i]])`` (Son et al. 2018, section 3).
    ``original`` are the scales, shape (O, I); without scales (variant N) it is empty. Labels and
    transforms are frozen. The set is one module that the codes of all its layers hold, so that its
    centroids' gradient is the sum over the layers. Scales are rounded to float16 in every
    forward pass, as they are stored; a kernel whose scale is zero is pruned and stays zero.

    Args:
        labels: Label of every kernel, integer, shape (O, I).
        kernel_set: The set's centroids, shape (K, h w).
        shape: Shape of the dense weight, (O, I, h, w).
        transforms: Number of the transform of every kernel, as ``clusterpress.clustering`` counts
            them, shape (O, I); None where there are none. Square kernels only.
        mask: True for the kernels that are kept, bool, shape (O, I); None keeps all. Without
            scales all must be kept.
        scaled: Whether there are scales.

    Raises:
        ValueError: These do not fit each other.
    """

    kind: ClassVar[str] = "kernels"
    parts: ClassVar[frozenset[Part]] = frozenset({"index", "codebook"})
    optional_parts: ClassVar[frozenset[Part]] = frozenset({"scale", "transform"})
    shares_codebook: ClassVar[bool] = True
    labels: torch.Tensor
    transforms: torch.Tensor | None
    mask: torch.Tensor | None
    pairs: torch.Tensor

    def __init__(
        self,
        labels: torch.Tensor,
        kernel_set: KernelSet,
        shape: tuple[int, ...],
        *,
        transforms: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        _check_labels(labels, kernel_set.centroids, tuple(shape))
        _check_transforms(transforms, tuple(shape))
        if mask is not None and not scaled and not bool(mask.all()):
            raise ValueError("without scales no kernel can be pruned")
        self.shape = tuple(shape)
        self.scaled = scaled
        self.kernel_set = kernel_set
        self.register_buffer("labels", labels.reshape(shape[:2]).long())
        given = None if transforms is None else transforms.reshape(shape[:2]).long()
        self.register_buffer("transforms", given)
        self.register_buffer("mask", mask)
        self.register_buffer("pairs", self._pairs().clone(), persistent=False)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *others: Any) -> None:
        """Take labels and transforms, and what is computed from them."""
        super()._load_from_state_dict(state, prefix, *others)
        with torch.no_grad():
            self.pairs.copy_(self._pairs())

    def _pairs(self) -> torch.Tensor:
        """Number centroid and transform of every kernel together, int64, shape (O I,)."""
        if self.transforms is None:
            return self.labels.flatten()
        return (TRANSFORMS[-1] * self.labels + self.transforms).flatten()

    @property
    def centroids(self) -> nn.Parameter:
        """The set's centroids, shape (K, h w)."""
        return self.kernel_set.centroids

    @property
    def transform_count(self) -> int:
        """The least T of 1, 2, 4 and 8 whose transforms suffice."""
        if self.transforms is None:
            return 1
        highest = int(self.transforms.max()) if self.transforms.numel() else 0
        return next(count for count in TRANSFORMS if highest < count)

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight of the scales ``original``, shape (O, I), or empty."""
        table: torch.Tensor = self.kernel_set()
        if self.transforms is not None:
            turns = torch.from_numpy(square_turns(self.shape[2])).to(table.device)
            table = table[:, turns].flatten(0, 1)
        rows = expand(table, self._scales(original, table), self.pairs)
        return rows.reshape(self.shape)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the scales for which the kernels are nearest to those of ``weight``."""
        if not self.scaled:
            return weight.new_empty(0)
        with torch.no_grad():
            own = self.forward(torch.ones_like(weight[:, :, 0, 0])).flatten(2).double()
            energy = own.square().sum(2).clamp(min=torch.finfo(torch.float64).tiny)
            return ((own * weight.flatten(2)).sum(2) / energy).to(weight)

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List index, transform, scale (float16) and the set's codebook."""
        centroids = self.centroids.detach().cpu().to(self.kernel_set.dtype)
        labels = self.labels.cpu().flatten().numpy()
        found = [Stream("index", labels, len(centroids))]
        if self.transforms is not None:
            numbers = self.transforms.cpu().flatten().numpy()
            found.append(Stream("transform", numbers, self.transform_count))
        if self.scaled:
            kept = self._kept(original.detach()).cpu().half().flatten()
            found.append(Stream("scale", kept.numpy()))
        return [*found, Stream("codebook", centroids.flatten().numpy())]

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the code with centroids of its own (as float32), and the scales."""
        if len(shape) != 4:
            raise ValueError(f"a weight of shape {shape} has no kernels")
        codebook = torch.from_numpy(streams["codebook"])
        kernel_set = KernelSet(codebook.float().reshape(-1, shape[2] * shape[3]), codebook.dtype)
        numbers = streams.get("transform")
        turned = None if numbers is None else torch.from_numpy(numbers.astype(np.int64))
        labels = torch.from_numpy(streams["index"].astype(np.int64))
        scaled = "scale" in streams
        scales = torch.from_numpy(streams["scale"]).float() if scaled else torch.empty(0)
        original = scales.reshape(shape[:2]) if scaled else scales
        mask = original != 0 if scaled and bool((original == 0).any()) else None
        return cls(labels, kernel_set, shape, transforms=turned, mask=mask, scaled=scaled), original

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give float32: in that dtype centroids and scales come back."""
        codebook, scale = dtypes.get("codebook", "f4"), dtypes.get("scale", "f2")
        if codebook not in ("f2", "f4") or scale != "f2":
            raise ValueError(
                f"centroids of dtype {codebook!r} and scales of {scale!r} must be floats of 2 or "
                "4 and of 2 bytes"
            )
        return "f4"

    @classmethod
    def check_sizes(
        cls, shape: tuple[int, ...], counts: Mapping[str, int], alphabets: Mapping[str, int]
    ) -> None:
        """Check that there is a symbol and a scale for each kernel, and a row for each label."""
        kernels, taps = int(np.prod(shape[:2])), int(np.prod(shape[2:]))
        for part in ("index", "transform", "scale"):
            if part in counts and counts[part] != kernels:
                raise ValueError(f"{counts[part]} values of {part} for {kernels} kernels")
        if "codebook" in counts and counts["codebook"] != alphabets["index"] * taps:
            raise ValueError(
                f"alphabet of index is {alphabets['index']}, its codebook has "
                f"{counts['codebook']} values for kernels of {taps} taps"
            )

    def _scales(self, original: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        if not self.scaled:
            return table.new_ones(self.pairs.numel())
        return _rounded(self._kept(original), torch.float16).flatten()

    def _kept(self, original: torch.Tensor) -> torch.Tensor:
        return original if self.mask is None else original * self.mask


def _rounded(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Round forward to what will be stored; pass the gradient through."""
    if values.dtype == dtype:
        return values
    return values + (values.to(dtype).to(values) - values).detach()


def _check_labels(labels: torch.Tensor, centroids: torch.Tensor, shape: tuple[int, ...]) -> None:
    if len(shape) != 4 or centroids.shape[1] != shape[2] * shape[3]:
        raise ValueError(f"centroids {tuple(centroids.shape)} for a weight of shape {shape}")
    kernels = shape[0] * shape[1]
    if labels.numel() != kernels:
        raise ValueError(f"{labels.numel()} labels for {kernels} kernels")
    if kernels and not 0 <= int(labels.min()) <= int(labels.max()) < len(centroids):
        raise ValueError(f"labels up to {int(labels.max())} for {len(centroids)} centroids")


def _check_transforms(transforms: torch.Tensor | None, shape: tuple[int, ...]) -> None:
    if transforms is None:
        return
    if shape[2] != shape[3]:
        raise ValueError(f"kernels of {shape[2]}x{shape[3]} taps have no transforms")
    if transforms.numel() != shape[0] * shape[1]:
        raise ValueError(f"{transforms.numel()} transforms for {shape[0] * shape[1]} kernels")
    known = transforms.numel() == 0 or 0 <= int(transforms.min()) <= int(transforms.max()) < 8
    if not known:
        raise ValueError(f"transforms up to {int(transforms.max())}, there are 8")
