"""The weights that torchvision publishes for its own networks, by their names there."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models.checkpoints import VARIABLE, find, load_weights, sha256_of


def published(target: Any, name: str) -> Any | None:
    """Give torchvision's entry of a network's weights, as ``imagenet1k_v1``; None for no such.

    Args:
        target: What builds the network; its ``published`` lists torchvision's entries.
        name: The entry's name; capitals do not matter.
    """
    entries = getattr(target, "published", None)
    return None if entries is None else entries.__members__.get(name.upper())


def file_name(entry: Any) -> str:
    """Give the name of an entry's file; it ends in the first digits of the file's SHA-256."""
    return urlsplit(str(entry.url)).path.rsplit("/", 1)[-1]


def load_published(network: nn.Module, entry: Any, *, download: bool) -> None:
    """Load an entry's weights: from CLUSTERPRESS_WEIGHTS or torch's own folder, else fetched.

    Args:
        network: What they are for.
        entry: From ``published``.
        download: Whether the network may be asked for a file that is not there.

    Raises:
        ConfigError: The file is not there and cannot be fetched, is damaged, or does not fit.
    """
    path = found(entry) or _fetched(entry, download=download)
    digits = path.stem.rpartition("-")[2]
    if not sha256_of(path).startswith(digits):
        raise ConfigError(
            f"model.weights: {path} is damaged or another file: its SHA-256 is {sha256_of(path)} "
            f"and should begin with {digits}; remove it."
        )
    load_weights(network, path)


def found(entry: Any) -> Path | None:
    """Give an entry's file where there is one, else None."""
    cached = _folder() / file_name(entry)
    return find(file_name(entry)) or (cached if cached.is_file() else None)


def _folder() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _fetched(entry: Any, *, download: bool) -> Path:
    if not download:
        raise ConfigError(_missing(entry, "downloading is off"))
    try:
        # It is written under another name first, and its SHA-256 checked against the file's name.
        entry.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        why = str(error).strip().splitlines()[-1]
        raise ConfigError(_missing(entry, f"fetching failed ({why})")) from error
    return _folder() / file_name(entry)


def _missing(entry: Any, why: str) -> str:
    return (
        f"model.weights: torchvision's weights {entry} are missing: {file_name(entry)} is neither "
        f"here nor in the folder {VARIABLE} nor in {_folder()}, and {why}; get {entry.url} and put "
        "it into one of them."
    )
