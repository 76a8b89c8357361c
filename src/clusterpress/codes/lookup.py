"""Dense weights from codebooks and masks, and the gradients that go back, on a CPU in one pass.

What comes out has the same bits as torch's own ``codebook[labels]``, ``bincount`` in float64 and
``original * mask``; those take several times as long there.
"""

import math
from collections.abc import Callable
from typing import Any, cast

import torch

from clusterpress.codes import loops

_TAUGHT = (torch.float32, torch.float64)


def in_one_pass(values: torch.Tensor) -> bool:
    """Say whether the compiled loops take this tensor: floats of 4 or 8 bytes on a CPU."""
    return values.device.type == "cpu" and values.dtype in _TAUGHT


class Members:
    """Which centre every kept entry of a weight belongs to, checked and in few bytes.

    Args:
        labels: Label of every kept entry in row-major order, int64, shape (kept,), on the CPU.
        positions: Place of every kept entry in the flat weight, int64, shape (kept,); None where
            all entries are kept.
        shape: Shape of the weight.

    Raises:
        IndexError: A label is negative, or a position lies outside the weight.
    """

    def __init__(
        self, labels: torch.Tensor, positions: torch.Tensor | None, shape: tuple[int, ...]
    ) -> None:
        # The loops do not check bounds.
        _check("label", labels, None)
        self.labels = loops.narrowed(labels.numpy())
        self.size = int(labels.max()) + 1 if labels.numel() else 0
        self.shape = shape
        self.positions = None if positions is None else positions.contiguous().numpy()
        if positions is not None:
            _check("position", positions, math.prod(shape))
        self._of = (labels, positions)
        self._versions = self._versions_now()

    def are_of(self, labels: torch.Tensor, positions: torch.Tensor | None) -> bool:
        """Say whether these are the tensors that this was made from, and still unchanged."""
        same = self._of[0] is labels and self._of[1] is positions
        return same and self._versions == self._versions_now()

    def _versions_now(self) -> list[int]:
        tracked = (tensor for tensor in self._of if tensor is not None)
        return [0 if tensor.is_inference() else tensor._version for tensor in tracked]


def _check(what: str, numbers: torch.Tensor, limit: int | None) -> None:
    if not numbers.numel():
        return
    least, most = int(numbers.min()), int(numbers.max())
    if least < 0 or (limit is not None and most >= limit):
        bounds = "must not be negative" if limit is None else f"must lie in [0, {limit})"
        wrong = least if least < 0 else most
        raise IndexError(f"a {what} of a weight's entries is {wrong}; it {bounds}")


class _Lookup(torch.autograd.Function):
    """The dense weight of a codebook; a centre's gradient is the sum over its members.

    Han et al. 2016, eq. 3. The sums are taken in float64.
    """

    @staticmethod
    def forward(ctx: Any, codebook: torch.Tensor, members: Members) -> torch.Tensor:
        ctx.members = members
        ctx.size = codebook.numel()
        centers = codebook.detach().contiguous().numpy()
        dense = codebook.new_empty(members.shape)
        flat = dense.view(-1).numpy()
        if members.positions is None:
            loops.take(centers, members.labels, flat)
        else:
            loops.take_at(centers, members.labels, members.positions, flat)
        return dense

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        members = ctx.members
        # A convolution's may lie channels-last; the order of the sums is that of the rows.
        values = gradients[0].detach().contiguous().view(-1)
        sums = torch.zeros(ctx.size, dtype=torch.float64)
        if members.positions is None:
            loops.add(values.numpy(), members.labels, sums.numpy())
        else:
            loops.add_at(values.numpy(), members.labels, members.positions, sums.numpy())
        return sums.to(values.dtype), None


class _Keep(torch.autograd.Function):
    """A weight times a mask; so is its gradient."""

    @staticmethod
    def forward(ctx: Any, original: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(mask)
        return _kept(original, mask)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = ctx.saved_tensors
        return _kept(gradients[0], mask), None


def _kept(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    rows = values.detach().contiguous()
    kept = torch.empty_like(rows)
    flags = mask.contiguous().view(torch.uint8)
    loops.keep(rows.view(-1).numpy(), flags.view(-1).numpy(), kept.view(-1).numpy())
    return kept


def looked_up(codebook: torch.Tensor, members: Members) -> torch.Tensor:
    """Give the dense weight of a codebook, which gets the sums of its gradient.

    Args:
        codebook: Shape (K,), of a kind that is done ``in_one_pass``.
        members: Whose labels are below K.

    Returns:
        Shape ``members.shape``; zero where no entry is kept.

    Raises:
        IndexError: A label is not below K.
    """
    if members.size > codebook.numel():
        raise IndexError(f"label {members.size - 1} in a codebook of {codebook.numel()}")
    return cast(Callable[..., torch.Tensor], _Lookup.apply)(codebook, members)


def kept(original: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Give a weight times its mask; pruned entries get no gradient.

    Args:
        original: Any shape, of a kind that is done ``in_one_pass``.
        mask: bool, in the same shape.
    """
    return cast(Callable[..., torch.Tensor], _Keep.apply)(original, mask)
