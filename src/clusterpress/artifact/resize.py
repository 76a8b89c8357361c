"""Put what a file holds into a network whose layers may have other sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from clusterpress.artifact.content import (
    BUFFER,
    DENSE,
    Place,
    TensorContent,
    foreign,
    layer_type_of,
    part_of,
    places,
    ties,
)
from clusterpress.artifact.directory import Directory
from clusterpress.artifact.entries import TensorEntry
from clusterpress.artifact.floats import to_tensor, torch_dtype
from clusterpress.codes import CODES, Code, Kernels, Product, Quantized, attach, detach, original_of
from clusterpress.errors import ConfigError

# A BatchNorm's tensors that have one value a feature, and shrink where neurons were merged.
_FEATURES = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Rebuilt:
    """A tensor as it was saved: its value, and the code that gives it from there, if any.

    Its codebook is as the file has it, for the tensors that share it.
    """

    shape: tuple[int, ...]
    original: torch.Tensor
    code: Code | None = None
    cast: torch.dtype | None = None
    codebook: npt.NDArray[Any] | None = None

    def dense(self) -> torch.Tensor:
        """Give the dense tensor."""
        if self.code is None:
            return self.original
        with torch.no_grad():
            weight: torch.Tensor = self.code(self.original)
        return weight if self.cast is None else weight.to(self.cast)


def rebuild(content: TensorContent, holder: Rebuilt | None = None) -> Rebuilt:
    """Build a tensor and its code from its streams.

    Args:
        content: The streams.
        holder: The tensor whose codebook is its own too, if any.

    Raises:
        ValueError: The streams do not fit the code or the shape.
    """
    values: dict[str, npt.NDArray[Any]] = {stream.part: stream.values for stream in content.streams}
    if content.kind in (DENSE, BUFFER):
        (flat,) = values.values()
        return Rebuilt(content.shape, to_tensor(flat).reshape(content.shape))
    if holder is not None and holder.codebook is not None:
        values["codebook"] = holder.codebook
    try:
        code, original = CODES[content.kind].from_streams(content.shape, values)
        given = code.dense_shape(original)
        _check_alphabet(content, code, original)
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"the streams of tensor {content.name!r} make no {content.kind!r} code ({error})"
        ) from error
    if given != content.shape:
        raise ValueError(f"tensor {content.name!r} has shape {given} instead of {content.shape}")
    if isinstance(code, Kernels) and holder is not None and isinstance(holder.code, Kernels):
        code.kernel_set = holder.code.kernel_set
    dtype = None if content.cast is None else torch_dtype(content.cast)
    return Rebuilt(content.shape, original, code, dtype, values.get("codebook"))


def _check_alphabet(content: TensorContent, code: Code, original: torch.Tensor) -> None:
    """Check the index's alphabet against what only the decoded ``transform`` tells."""
    if isinstance(code, Product):
        known = original.shape[1]
    elif isinstance(code, Quantized):
        known = code.levels
    else:
        return
    (stated,) = (stream.alphabet for stream in content.streams if stream.part == "index")
    if stated != known:
        raise ValueError(f"its index has an alphabet of {stated}, by its transform it is {known}")


def in_memory(network: nn.Module) -> nn.Module:
    """Give back a caller's network, once it is known that tensors can be put into it.

    Raises:
        ConfigError: It is no network, or lies on the meta device.
    """
    if not isinstance(network, nn.Module):
        raise ConfigError(f"into is {network!r:.80}, it must be a torch module.")
    if any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers())):
        raise ConfigError(
            "The network passed as into= lies on the meta device, which has no memory to load to: "
            "build it on another, as by network.to_empty(device='cpu')."
        )
    return network


def checked_places(network: nn.Module, directory: Directory) -> dict[str, Place]:
    """Give the places of all tensors, once the network is known to be able to take them.

    Only the directory is looked at: nothing has been decoded yet.

    Raises:
        ValueError: The network has other tensors, fewer elements, ties that the file has not, or a
            tensor that cannot take its new shape, dtype or part.
    """
    own, tensors = places(network), directory.tensors
    named = {*tensors, *directory.tied}
    missing, unknown = sorted(set(own) - named), sorted(named - set(own))
    if missing or unknown:
        raise ValueError(
            f"it lacks tensors {missing[:3]} and has {unknown[:3]} beyond the network's"
        )
    held = sorted(name for name, place in own.items() if foreign(place))
    if held:
        raise ValueError(f"the network's tensors {held[:3]} are parametrized by what is no code")
    _check_ties(network, directory.tied)
    _check_elements(own, tensors)
    for name, entry in tensors.items():
        _check(name, own[name], entry, tensors)
    for name, holder in directory.tied.items():
        _check_same(name, own[name], own[holder], tensors[holder])
    return own


def _check_ties(network: nn.Module, tied: Mapping[str, str]) -> None:
    """Check that what is one tensor in the network is one in the file; the file may tie more."""
    try:
        own = ties(network)
    except ConfigError as error:
        raise ValueError(f"of the network: {error}") from error
    for name, holder in own.items():
        if tied.get(name, name) != tied.get(holder, holder):
            raise ValueError(
                f"the network's tensors {holder!r} and {name!r} are tied, and the file has two"
            )


def _check_same(name: str, place: Place, holder: Place, entry: TensorEntry) -> None:
    shape = tuple(getattr(place.module, place.tensor).shape)
    buffers = [each.tensor in each.module._buffers for each in (place, holder)]
    if shape != entry.shape or len(set(buffers)) > 1:
        raise ValueError(f"tensor {name!r} of shape {shape} is tied to one of shape {entry.shape}")


def _check_elements(own: Mapping[str, Place], tensors: Mapping[str, TensorEntry]) -> None:
    # Merged networks are smaller than the one they came from, never larger.
    claimed = sum(entry.elements for entry in tensors.values())
    held = sum(getattr(place.module, place.tensor).numel() for place in own.values())
    if claimed > held:
        raise ValueError(f"it has {claimed} elements, more than the network's {held}")


def _check(name: str, place: Place, entry: TensorEntry, tensors: Mapping[str, TensorEntry]) -> None:
    module, tensor = place.module, place.tensor
    own = layer_type_of(module)
    if own != entry.layer_type or (entry.kind == BUFFER) != (tensor in module._buffers):
        raise ValueError(
            f"tensor {name!r} is {entry.layer_type} {entry.kind}, the network's is {own}"
        )
    weight = tensors.get(name.removesuffix(tensor) + "weight")
    if isinstance(module, _BatchNorm) and tensor in _FEATURES:
        fits = _one_size(name.removesuffix(tensor), entry, tensors)
    elif isinstance(module, nn.Conv2d) and tensor == "weight":
        fits = entry.shape[2:] == tuple(module.kernel_size) and _divides(module, entry)
    elif isinstance(module, nn.Linear) and tensor == "weight":
        fits = len(entry.shape) == 2
    elif own != "other" and tensor == "bias" and weight is not None:
        fits = entry.shape == weight.shape[:1]
    else:
        fits = entry.shape == tuple(getattr(module, tensor).shape)
    if not fits:
        raise ValueError(f"tensor {name!r} of shape {entry.shape} does not fit {module}")
    if entry.plain:
        _check_plain(name, place, entry)


def _one_size(prefix: str, entry: TensorEntry, tensors: Mapping[str, TensorEntry]) -> bool:
    """Whether a BatchNorm's tensor is a list of at least one feature, as long as its others."""
    own = (tensors.get(prefix + tensor) for tensor in _FEATURES)
    shapes = {each.shape for each in own if each is not None}
    return len(entry.shape) == 1 and entry.elements > 0 and shapes == {entry.shape}


def _check_plain(name: str, place: Place, entry: TensorEntry) -> None:
    """Check the part, and that a buffer keeps its dtype, or stays among the floats."""
    part, right = entry.streams[0].part, part_of(place.module, place.tensor, entry.kind)
    if part != right:
        raise ValueError(f"tensor {name!r} is declared part {part!r}, the network's is {right!r}")
    own: torch.dtype = getattr(place.module, place.tensor).dtype
    stored = torch_dtype(entry.dtype())
    if stored != own and not (stored.is_floating_point and own.is_floating_point):
        raise ValueError(f"tensor {name!r} has dtype {stored}, the network's has {own}")


def _divides(module: nn.Conv2d, entry: TensorEntry) -> bool:
    return len(entry.shape) == 4 and entry.shape[0] % module.groups == 0


def fill(own: Mapping[str, Place], tensors: Mapping[str, Rebuilt], tied: Mapping[str, str]) -> None:
    """Give every place its tensor, attach its code, and correct the layers' sizes."""
    for name, place in own.items():
        if name in tied:
            continue
        _put(place, tensors[name])
        if isinstance(place.module, _BatchNorm) and place.tensor in _FEATURES:
            (place.module.num_features,) = tensors[name].shape
        elif place.tensor == "weight":
            _correct_sizes(place.module, tensors[name].shape)
    for name, holder in tied.items():
        first = own[holder]
        setattr(own[name].module, own[name].tensor, getattr(first.module, first.tensor))


def _put(place: Place, rebuilt: Rebuilt) -> None:
    module, tensor = place.module, place.tensor
    old = original_of(module, tensor)
    value = rebuilt.original.to(old.device)
    if rebuilt.code is not None:
        attach(module, tensor, rebuilt.code.to(old.device), value, rebuilt.cast, copied=False)
        return
    detach(module, tensor)
    is_buffer = tensor in module._buffers
    setattr(module, tensor, value if is_buffer else nn.Parameter(value, old.requires_grad))


def _correct_sizes(module: nn.Module, shape: tuple[int, ...]) -> None:
    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = shape
    elif isinstance(module, nn.Conv2d):
        module.out_channels, module.in_channels = shape[0], shape[1] * module.groups
