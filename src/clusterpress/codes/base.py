"""What every code is: a parametrization that gives a dense weight and lists its streams."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Self, cast

import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import parametrize

from clusterpress.ledger import Part

_OF_EVERY_CLASS = ("__dict__", "__weakref__")


@dataclass(frozen=True)
class Stream:
    """One part of one tensor, as the artifact writes it and the ledger counts it.

    Attributes:
        part: What the values are.
        values: Integers in ``[0, alphabet)``, or floats where ``alphabet`` is None. A ``position``
            stream is the 0/1 mask in the weight's own shape; every other stream is flat.
        alphabet: Number of symbols, or None for floats (stored in their own dtype).
    """

    part: Part
    values: npt.NDArray[Any]
    alphabet: int | None = None


class Code(nn.Module):
    """A compressed form of one weight, registered with ``torch.nn.utils.parametrize``.

    The parametrization's ``original`` is what trains (a codebook, a masked weight); the code's
    buffers are what is frozen (labels, masks). ``forward(original)`` is the dense weight.

    Attributes:
        kind: Name of the code in configs and files.
        parts: The parts that every weight of this code has.
        optional_parts: The parts that it may have besides; there are no others.
        shares_codebook: Whether several weights may hold one codebook; a file has it once.
    """

    kind: ClassVar[str]
    parts: ClassVar[frozenset[Part]]
    optional_parts: ClassVar[frozenset[Part]] = frozenset()
    shares_codebook: ClassVar[bool] = False

    @abstractmethod
    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """Give the dense weight."""

    def dense_shape(self, original: torch.Tensor, /) -> tuple[int, ...]:
        """Give the shape of the dense weight; a code that knows it need not make the weight."""
        with torch.no_grad():
            return tuple(self(original).shape)

    @abstractmethod
    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the ``original`` whose dense weight is nearest to ``weight``."""

    @abstractmethod
    def streams(self, original: torch.Tensor) -> list[Stream]:
        """List what must be stored for ``from_streams`` to rebuild this code and ``original``."""

    @classmethod
    @abstractmethod
    def from_streams(
        cls, shape: tuple[int, ...], streams: Mapping[str, npt.NDArray[Any]]
    ) -> tuple[Self, torch.Tensor]:
        """Rebuild the code and its ``original`` from streams by part.

        Raises:
            ValueError: A stream is missing or does not fit ``shape``.
        """

    @classmethod
    @abstractmethod
    def dense_dtype(cls, dtypes: Mapping[str, str]) -> str:
        """Give the dtype of the dense weight that streams of these dtypes rebuild.

        Args:
            dtypes: Numpy's short name (``f4``) by part, of the parts that are floats.

        Raises:
            ValueError: This code holds no values of such a dtype.
        """

    @classmethod
    def check_sizes(
        cls, shape: tuple[int, ...], counts: Mapping[str, int], alphabets: Mapping[str, int]
    ) -> None:
        """Check what can be told of streams before any is decoded; a code of its own form may.

        By default an index names a row of the codebook, one symbol for each kept weight.

        Args:
            shape: Shape of the dense weight.
            counts: Number of values by part.
            alphabets: Number of symbols by part, of the parts that are symbols.

        Raises:
            ValueError: They do not fit each other, or claim more than the file holds.
        """
        if "index" not in counts:
            return
        if "codebook" in counts and alphabets["index"] != counts["codebook"]:
            raise ValueError(
                f"alphabet of index is {alphabets['index']}, its codebook has {counts['codebook']}"
            )
        if "position" not in counts and counts["index"] != prod(shape):
            raise ValueError(f"{counts['index']} symbols of index for {prod(shape)} weights")


class Cast(nn.Module):
    """What follows a code in a network of half precision: its dense weight in the layer's dtype.

    Args:
        dtype: The layer's dtype.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Give the weight in the layer's dtype; the gradient arrives in the code's own."""
        return weight.to(self.dtype)


def attach(
    module: nn.Module,
    tensor: str,
    code: nn.Module,
    original: torch.Tensor,
    dtype: torch.dtype | None = None,
    *,
    copied: bool = True,
) -> None:
    """Let ``code`` hold ``module.<tensor>``, replacing a code that already holds it.

    No dense weight is made.

    Args:
        module: The layer.
        tensor: Name of the parameter, usually ``weight``. Where it does not train, neither does
            ``original``.
        code: The new code; or a form for training alone, which no artifact can hold.
        original: What trains, in the shape ``code.forward`` takes.
        dtype: In which the dense weight is given; None for the code's own.
        copied: Whether ``original`` is copied; else the caller gives it away.
    """
    trains = original_of(module, tensor).requires_grad
    _release(module, tensor, nn.Parameter(original.new_empty(0)))
    value = original.detach()
    if parametrize.is_parametrized(module):
        _give_own_class(module)
    # Not through the code's right_inverse: that is only nearest, and this must be exact.
    parametrize.register_parametrization(module, tensor, nn.Identity(), unsafe=True)
    holder = cast(nn.ModuleList, _holders(module)[tensor])
    holder[0] = code
    code.train(module.training)
    holder.register_parameter("original", nn.Parameter(value.clone() if copied else value, trains))
    if dtype is not None:
        cast_to(module, tensor, dtype)


def cast_to(module: nn.Module, tensor: str, dtype: torch.dtype) -> None:
    """Give the dense weight of a coded ``module.<tensor>`` in a dtype; the code stays as it is."""
    holder = cast(nn.ModuleList, _holders(module)[tensor])
    del holder[1:]
    holder.append(Cast(dtype))


def dtype_of_cast(module: nn.Module, tensor: str) -> torch.dtype | None:
    """Give the dtype that the code's dense weight is cast to; None where it keeps its own."""
    if not parametrize.is_parametrized(module, tensor):
        return None
    last = cast(nn.ModuleList, _holders(module)[tensor])[-1]
    return last.dtype if isinstance(last, Cast) else None


def detach(module: nn.Module, tensor: str) -> None:
    """Make ``module.<tensor>`` a plain dense parameter again; a no-op where it is one.

    Not torch's ``remove_parametrizations``: that changes the class of the module, which a deep
    copy shares with what it was copied from, and so would break the other one.
    """
    if not parametrize.is_parametrized(module, tensor):
        return
    dense = cast(torch.Tensor, getattr(module, tensor)).detach().clone()
    trains = original_of(module, tensor).requires_grad
    _release(module, tensor, nn.Parameter(dense, trains))


def _release(module: nn.Module, tensor: str, instead: nn.Parameter) -> None:
    """Take a code away and put a parameter in its place; a parameter is replaced."""
    if not parametrize.is_parametrized(module, tensor):
        setattr(module, tensor, instead)
        return
    others = [
        (
            name,
            cast(Code, cast(nn.ModuleList, holder)[0]),
            cast(torch.Tensor, holder.original),
            dtype_of_cast(module, name),
        )
        for name, holder in _holders(module).items()
        if name != tensor
    ]
    module.__class__ = type(module).__bases__[0]
    del module.parametrizations
    module.register_parameter(tensor, instead)
    for name, code, original, dtype in others:
        module.register_parameter(name, nn.Parameter(original.detach(), original.requires_grad))
        attach(module, name, code, original, dtype)


def _give_own_class(module: nn.Module) -> None:
    """Part a coded module's class from those of its deep copies.

    A code is a property of a class that torch makes for one module. Deep copies share it, and a
    second coded tensor of one of them would become a property of all of them.
    """
    given = type(module)
    own = {name: value for name, value in vars(given).items() if name not in _OF_EVERY_CLASS}
    module.__class__ = type(given.__name__, given.__bases__, own)


def _holders(module: nn.Module) -> nn.ModuleDict:
    return cast(nn.ModuleDict, module.parametrizations)


def code_of(module: nn.Module, tensor: str = "weight") -> Code | None:
    """Give the code that holds ``module.<tensor>``, or None where it is dense."""
    if not parametrize.is_parametrized(module, tensor):
        return None
    holder = _holders(module)[tensor]
    code = cast(nn.ModuleList, holder)[0]
    return code if isinstance(code, Code) else None


def original_of(module: nn.Module, tensor: str = "weight") -> torch.Tensor:
    """Give what trains behind ``module.<tensor>``: the code's ``original`` or the parameter."""
    if not parametrize.is_parametrized(module, tensor):
        return cast(torch.Tensor, getattr(module, tensor))
    holder = _holders(module)[tensor]
    return cast(torch.Tensor, holder.original)


def kind_of(module: nn.Module, tensor: str = "weight") -> str:
    """Give the kind of the code that holds ``module.<tensor>``; ``dense`` where there is none."""
    code = code_of(module, tensor)
    return "dense" if code is None else code.kind


def coded_tensors(network: nn.Module) -> Iterator[tuple[str, nn.Module, str]]:
    """Yield ``(module name, module, tensor name)`` of every tensor that a code holds."""
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module):
            for tensor in _holders(module):
                yield name, module, tensor
