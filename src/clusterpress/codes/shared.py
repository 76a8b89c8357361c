"""Weights that share the values of a codebook; the assignment is frozen, the codebook learns."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.codes import loops
from clusterpress.codes.base import Code, Stream
from clusterpress.codes.lookup import Members, in_one_pass, looked_up
from clusterpress.ledger import Part


class _Lookup(torch.autograd.Function):
    """``codebook[labels]`` whose gradient is summed in float64, where no compiled loop does it."""

    @staticmethod
    def forward(ctx: Any, codebook: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(labels)
        ctx.size = codebook.numel()
        return codebook[labels]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (labels,) = ctx.saved_tensors
        (gradient,) = gradients
        return sum_by_label(gradient, labels, ctx.size), None


def sum_by_label(values: torch.Tensor, labels: torch.Tensor, size: int) -> torch.Tensor:
    """Sum ``values`` by label, accumulated in float64.

    Args:
        values: Floats, shape (n,).
        labels: int64 in ``[0, size)``, shape (n,).
        size: Number of sums.

    Returns:
        Shape (size,), in the dtype of ``values``.
    """
    wide = values.double()
    if values.is_cuda:
        # There bincount adds in no fixed order and is refused where bits must repeat.
        sums = wide.new_zeros(size).index_put((labels,), wide, accumulate=True)
    else:
        sums = torch.bincount(labels, weights=wide, minlength=size)
    return sums.to(values.dtype)


def _narrowed(numbers: torch.Tensor) -> torch.Tensor:
    """Give integers in one byte where they fit, else in four, else in eight."""
    if numbers.dtype == torch.uint8 or not numbers.numel():
        return numbers if numbers.numel() else numbers.to(torch.uint8)
    least, most = int(numbers.min()), int(numbers.max())
    if least >= 0 and most <= torch.iinfo(torch.uint8).max:
        return numbers.to(torch.uint8)
    fits = least >= 0 and most <= torch.iinfo(torch.int32).max
    return numbers.to(torch.int32) if fits else numbers.long()


def _places(mask: torch.Tensor) -> torch.Tensor:
    """Give where a mask is true, in row-major order, int32 where that holds them."""
    if mask.is_cuda or mask.numel() > torch.iinfo(torch.int32).max:
        return mask.flatten().nonzero().flatten()
    flat = mask.bool().contiguous().view(-1)
    found = torch.empty(int(torch.count_nonzero(flat)), dtype=torch.int32, device=flat.device)
    loops.places(flat.numpy(), found.numpy())
    return found


_lookup = cast(Callable[[torch.Tensor, torch.Tensor], torch.Tensor], _Lookup.apply)


class Shared(Code):
    """A weight of which every kept entry is one of K shared values.

    ``original`` is the codebook, shape (K,). Where ``mask`` is given, pruned entries are zero and
    carry no label.

    Args:
        labels: Label of every kept entry in row-major order, integer, shape (kept,).
        shape: Shape of the dense weight.
        mask: True where an entry is kept, bool, in the weight's shape; None where all are.
        codebook_dtype: Dtype in which the codebook is stored: float32 or float16.
    """

    kind: ClassVar[str] = "shared"
    parts: ClassVar[frozenset[Part]] = frozenset({"index", "codebook"})
    optional_parts: ClassVar[frozenset[Part]] = frozenset({"position"})
    labels: torch.Tensor
    positions: torch.Tensor | None

    def __init__(
        self,
        labels: torch.Tensor,
        shape: tuple[int, ...],
        mask: torch.Tensor | None = None,
        codebook_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        positions = None if mask is None else _places(mask)
        kept = int(np.prod(shape)) if positions is None else positions.numel()
        if labels.numel() != kept:
            raise ValueError(f"{labels.numel()} labels for {kept} kept weights of shape {shape}")
        self.register_buffer("labels", _narrowed(labels.flatten()))
        self.register_buffer("positions", positions)
        self.shape = tuple(shape)
        self._members: Members | None = None
        self.codebook_dtype = codebook_dtype

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight of the codebook ``original``, shape (K,)."""
        codebook = original
        if self.codebook_dtype != original.dtype:
            # What trains is what will be stored: round forward, pass the gradient through.
            codebook = (
                original + (original.to(self.codebook_dtype).to(original) - original).detach()
            )
        if in_one_pass(codebook):
            return looked_up(codebook, self._narrow())
        values = _lookup(codebook, self.labels.long())
        if self.positions is None:
            return values.reshape(self.shape)
        dense = values.new_zeros(int(np.prod(self.shape)))
        return dense.index_copy(0, self.positions.long(), values).reshape(self.shape)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what a copy would take for made from its own buffers."""
        return {**self.__dict__, "_members": None}

    def _narrow(self) -> Members:
        """Give the labels as the compiled loops read them, made anew where the buffers changed."""
        if self._members is None or not self._members.are_of(self.labels, self.positions):
            self._members = Members(self.labels, self.positions, self.shape)
        return self._members

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the mean of each centre's members; zero for a centre without members."""
        kept = weight.flatten() if self.positions is None else weight.flatten()[self.positions]
        labels = self.labels.long()
        size = int(labels.max()) + 1 if labels.numel() else 0
        counts = torch.bincount(labels, minlength=size).clamp(min=1)
        return sum_by_label(kept, labels, size) / counts

    def dense_shape(self, _original: torch.Tensor, /) -> tuple[int, ...]:
        """Give the shape without the weight."""
        return self.shape

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *others: Any) -> None:
        """Take labels and positions that need more bytes than those here."""
        for name in ("labels", "positions"):
            given, own = state.get(prefix + name), getattr(self, name)
            if given is not None and own is not None:
                wide = torch.promote_types(own.dtype, _narrowed(given).dtype)
                setattr(self, name, own.to(wide))
        super()._load_from_state_dict(state, prefix, *others)

    def mask(self) -> torch.Tensor | None:
        """Give the bool mask of kept entries in the weight's shape; None where all are kept."""
        if self.positions is None:
            return None
        mask = torch.zeros(int(np.prod(self.shape)), dtype=torch.bool, device=self.positions.device)
        mask[self.positions] = True
        return mask.reshape(self.shape)

    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List the mask (where there is one), the index and the codebook."""
        codebook = original.detach().cpu().to(self.codebook_dtype).numpy()
        labels = self.labels.cpu().numpy()
        streams = [Stream("index", labels, codebook.size), Stream("codebook", codebook)]
        mask = self.mask()
        if mask is not None:
            streams.insert(0, Stream("position", mask.cpu().view(torch.uint8).numpy(), 2))
        return streams

    @classmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the code and its codebook (as float32)."""
        codebook = torch.from_numpy(streams["codebook"])
        index = streams["index"]
        labels = torch.from_numpy(index if index.dtype == np.uint8 else index.astype(np.int32))
        if labels.numel() and int(labels.max()) >= codebook.numel():
            raise ValueError(f"label {int(labels.max())} in a codebook of {codebook.numel()}")
        position = streams.get("position")
        mask = (
            None if position is None else torch.from_numpy(position).view(torch.bool).reshape(shape)
        )
        return cls(labels, shape, mask, codebook.dtype), codebook.float()

    @classmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give float32: in that dtype a codebook comes back, whichever it is stored in."""
        dtype = dtypes["codebook"]
        if dtype not in ("f2", "f4"):
            raise ValueError(f"a codebook of dtype {dtype!r} must hold floats of 2 or 4 bytes")
        return "f4"
