"""The weights that a baseline starts from, as a model's config names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models.checkpoints import VARIABLE, find, load_weights, sha256_of
from clusterpress.models.published import file_name, found, load_published, published
from clusterpress.runs.components import parameters_of, target_of

KEYS = ("weights", "weights_sha256")


@dataclass(frozen=True)
class Weights:
    """A checkpoint by its name and, where the config states it, its content.

    Attributes:
        name: Path, or name of a file in the folder CLUSTERPRESS_WEIGHTS.
        stated: Its SHA-256 as the config states it; it then names the run without the file.
    """

    name: str
    stated: str | None = None

    @property
    def sha256(self) -> str:
        """What the identity of a run depends on.

        Raises:
            ConfigError: There is no such file and no stated SHA-256.
        """
        return self.stated or sha256_of(self.path())

    def path(self) -> Path:
        """Give the file.

        Raises:
            ConfigError: There is none, or it has another SHA-256 than stated.
        """
        path = find(self.name)
        if path is None:
            raise ConfigError(
                f"model.weights: there is no file {self.name!r} here or in the folder {VARIABLE}; "
                f"give its path, or set {VARIABLE}"
            )
        if self.stated and sha256_of(path) != self.stated:
            raise ConfigError(
                f"model.weights: {path} has the SHA-256 {sha256_of(path)}, model.weights_sha256 "
                f"says {self.stated}"
            )
        return path

    def load(self, network: nn.Module, *, download: bool = True) -> None:
        """Load the file into a network; nothing is ever downloaded.

        Raises:
            ConfigError: It is not there, unreadable or does not fit.
        """
        del download
        load_weights(network, self.path())

    def check(self, network: nn.Module) -> None:
        """Load where the file is there: what is missing may be had when the run begins.

        Raises:
            ConfigError: As ``load``.
        """
        if not self.stated or find(self.name) is not None:
            self.load(network)


@dataclass(frozen=True)
class PublishedWeights:
    """Weights that torchvision publishes for a network of its own.

    Attributes:
        entry: torchvision's entry.
    """

    entry: Any

    @property
    def sha256(self) -> str:
        """The file's name, which ends in the first digits of its SHA-256: it names the run."""
        return f"torchvision:{file_name(self.entry)}"

    def load(self, network: nn.Module, *, download: bool = True) -> None:
        """Load them into a network; where their file is missing, torchvision may fetch it.

        Raises:
            ConfigError: The file is missing and cannot be fetched, or does not fit.
        """
        load_published(network, self.entry, download=download)

    def check(self, network: nn.Module) -> None:
        """Load where the file is there: what is missing may be fetched when the run begins.

        Raises:
            ConfigError: The file does not fit.
        """
        if found(self.entry) is not None:
            self.load(network)


def split_model(
    node: Mapping[str, Any],
) -> tuple[dict[str, Any], Weights | PublishedWeights | None]:
    """Take apart a model's config: its architecture, and the weights it starts from.

    These are a file, or one of torchvision's entries where the network has one of that name and
    no SHA-256 says which file is meant. A model of somebody else's that has an argument
    ``weights`` of its own keeps it.
    """
    if _takes_weights(node):
        return dict(node), None
    architecture = {key: value for key, value in node.items() if key not in KEYS}
    name, stated = (node.get(key) for key in KEYS)
    if name is None:
        return architecture, None
    entry = None if stated else published(_target(node), str(name))
    return architecture, Weights(str(name), stated) if entry is None else PublishedWeights(entry)


def _target(node: Mapping[str, Any]) -> Any:
    """Give what a node names; None where it cannot be imported, which others tell."""
    try:
        return target_of(node)
    except ConfigError:
        return None


def _takes_weights(node: Mapping[str, Any]) -> bool:
    target = _target(node)
    return target is not None and "weights" in parameters_of(target)
