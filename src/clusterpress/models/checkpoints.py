"""Weights that others trained: found, read without running anything, and given our names."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import yaml
from safetensors.torch import load_file
from torch import nn

from clusterpress.errors import ConfigError

VARIABLE = "CLUSTERPRESS_WEIGHTS"
# Where a training script's checkpoint keeps the network's state beside the optimiser's.
HOLDERS = ("state_dict", "net", "model")
# Older files lack it, and nothing here reads it.
OPTIONAL = "num_batches_tracked"
SHOWN = 20

State = dict[str, torch.Tensor]


def find(name: str) -> Path | None:
    """Give the file ``name``, as it is or in CLUSTERPRESS_WEIGHTS; None where there is none."""
    folder = Path(os.environ.get(VARIABLE) or ".").expanduser()
    places = (Path(name).expanduser(), folder / name)
    return next((place for place in places if place.is_file()), None)


def sha256_of(path: Path) -> str:
    """Hash a file; one that did not change is hashed once."""
    state = path.stat()
    return _sha256(path.absolute(), state.st_mtime_ns, state.st_size)


@cache
def _sha256(path: Path, changed: int, size: int) -> str:
    del changed, size
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_state(path: Path) -> State:
    """Read the tensors of a safetensors file or of a torch checkpoint; no code of it is run.

    Raises:
        ConfigError: The file is neither, or holds no state dict.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:  # torch's own words advise to run the file's code.
        raise ConfigError(
            f"{path} is no checkpoint that can be read safely: it is damaged, or holds more than "
            "tensors, such as a pickled network: save its state_dict() instead, best as safetensors"
        ) from error
    except Exception as error:  # torch's reader lets a damaged file raise whatever it meets.
        reason = str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__
        raise ConfigError(f"{path} is no checkpoint that can be read safely: {reason}") from error
    for holder in HOLDERS:
        if isinstance(content, Mapping) and isinstance(content.get(holder), Mapping):
            content = content[holder]
    if not isinstance(content, Mapping) or not all(map(torch.is_tensor, content.values())):
        raise ConfigError(f"{path} holds no state dict: names with a tensor each.")
    odd = [key for key, tensor in content.items() if tensor.layout != torch.strided]
    if odd or any(tensor.is_quantized or tensor.is_complex() for tensor in content.values()):
        raise ConfigError(f"{path} holds tensors that are sparse, quantised or complex: {odd[:5]}")
    return {str(key): tensor for key, tensor in content.items()}


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a checkpoint of ours or of a family of ``keys.yaml`` into a network.

    Raises:
        ConfigError: The file cannot be read, or keys are missing or extra or have other shapes
            under the names of every family; up to 20 of each kind are listed, for the family that
            fits best, and how many more there are.
    """
    state, wanted = read_state(path), network.state_dict()
    named = [_renamed(state, rules) for rules in key_maps().values()]
    best = min([state, *named], key=lambda one: len(list(_differences(one, wanted))))
    sentences = [_listed(kind, best, wanted) for kind in ("missing", "extra", "shape")]
    if any(sentences):
        raise ConfigError(
            f"{path.name} does not fit {type(network).__name__}: "
            + "; ".join(filter(None, sentences))
        )
    network.load_state_dict(best, strict=False)


@cache
def key_maps() -> dict[str, list[tuple[str, str]]]:
    """Give the rules of every family, as ``keys.yaml`` has them."""
    content = yaml.safe_load(Path(__file__).with_name("keys.yaml").read_text())
    return {name: [(old, new) for old, new in rules] for name, rules in content.items()}


def rename(key: str, rules: list[tuple[str, str]]) -> str:
    """Turn a family's key into ours."""
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key


def _renamed(state: State, rules: list[tuple[str, str]]) -> State:
    """Rename all keys; where two would be one, the second keeps its own name, and so is extra."""
    named: State = {}
    for key, tensor in state.items():
        new = rename(key, rules)
        named[key if new in named or (new != key and new in state) else new] = tensor
    return named


def _differences(state: State, wanted: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, str]]:
    for key, tensor in wanted.items():
        if key not in state:
            if not key.endswith(OPTIONAL):
                yield "missing", key
        elif state[key].shape != tensor.shape:
            shapes = tuple(state[key].shape), tuple(tensor.shape)
            yield "shape", f"{key} {shapes[0]} instead of {shapes[1]}"
        elif tensor.is_floating_point() and not state[key].is_floating_point():
            yield "shape", f"{key} {state[key].dtype} instead of {tensor.dtype}"
    yield from (("extra", key) for key in state if key not in wanted)


def _listed(kind: str, state: State, wanted: Mapping[str, torch.Tensor]) -> str:
    found = [text for of, text in _differences(state, wanted) if of == kind]
    if not found:
        return ""
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    word = {
        "missing": "it lacks",
        "extra": "it has beyond that",
        "shape": "of another shape or dtype are",
    }
    return f"{word[kind]} {', '.join(found[:SHOWN])}{more}"
