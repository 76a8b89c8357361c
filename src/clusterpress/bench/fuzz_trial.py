"""One file under trial: refused in one sentence, or read as exactly the network that it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from clusterpress.artifact import Inspection, load, read, read_kernels, save
from clusterpress.artifact.content import places
from clusterpress.artifact.floats import numpy_dtype, to_numpy
from clusterpress.artifact.limits import ELEMENTS_PER_BYTE, FREE_ELEMENTS
from clusterpress.bench.fuzz_expected import expected
from clusterpress.bench.fuzz_parts import decoded
from clusterpress.bench.fuzz_seeds import target
from clusterpress.codes import Kernels, original_of
from clusterpress.errors import ArtifactError, ConfigError
from clusterpress.memory import peak_memory_bytes

# What an element that a file may claim may take while it is read: labels and hashes of 8 bytes,
# floats of 4, and copies of them on the way.
BYTES_PER_ELEMENT = 64
LONGEST_SENTENCE = 1000


class FindingError(Exception):
    """A file was neither refused in one sentence nor read as what it says."""


@dataclass(frozen=True)
class Verdict:
    """What became of a file.

    Attributes:
        read: Whether it could be inspected.
        loaded: Whether it could be loaded into the network that it is most likely for.
        built: Whether its own recorded network could be built from it.
    """

    read: bool
    loaded: bool
    built: bool


def allowed_bytes(file_bytes: int) -> int:
    """Give how much memory a file of so many bytes may take, beyond what the process has."""
    return BYTES_PER_ELEMENT * (FREE_ELEMENTS + ELEMENTS_PER_BYTE * file_bytes)


class Trial:
    """Tries files, in a folder that it may write to.

    A network that refused a file is used again: that it is unchanged is part of the trial.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._again = folder / "tried", folder / "again"
        self._networks: dict[str, nn.Module] = {}
        self._begin = peak_memory_bytes()

    def __call__(self, data: bytes) -> Verdict:
        """Try one file.

        Raises:
            FindingError: It was neither refused in a sentence nor read as what it says.
        """
        self._path.write_bytes(data)
        found = self._refused(lambda: read(self._path))
        # What cannot be inspected is not loaded either: tried for one in four.
        loaded = None if found is None and data[-1:] > b"\x3f" else self._loaded(data)
        built = None
        if found is not None:
            if any(entry.kind == Kernels.kind for entry in found.directory.values()):
                self._refused(lambda: read_kernels(self._path))
            if found.architecture is not None:
                built = self._refused(lambda: load(self._path))
        elif loaded is not None:
            raise FindingError("it is loaded, but it cannot be inspected")
        for network in (loaded, built):
            if network is not None and found is not None:
                _check_equal(network, found, decoded(data))
        if loaded is not None and data[-1:] < b"\x10":
            self._check_saved(loaded, target(data))
        taken, most = peak_memory_bytes() - self._begin, allowed_bytes(len(data))
        if taken > most:
            raise FindingError(f"memory: {taken} bytes, at most {most} are allowed")
        return Verdict(found is not None, loaded is not None, built is not None)

    def _refused(self, work: Any) -> Any:
        """Give what ``work`` gives; None where it refuses the file as it should."""
        try:
            return work()
        except (ArtifactError, ConfigError) as error:
            _check_sentence(str(error), self._path)
            return None

    def _loaded(self, data: bytes) -> nn.Module | None:
        fresh = target(data)
        network = self._networks.setdefault(repr(fresh), fresh)
        before = _state(network)
        loaded: nn.Module | None = self._refused(lambda: load(self._path, into=network))
        if loaded is not None:
            # It is another network now; the next file gets a new one.
            self._networks = {}
        elif _state(network) != before:
            self._networks = {}
            raise FindingError("the file was refused, and the network is changed")
        return loaded

    def _check_saved(self, network: nn.Module, other: nn.Module) -> None:
        save(network, self._again)
        load(self._again, into=other)
        after = _dense(other)
        if any(not _same(value, after[name]) for name, value in _dense(network).items()):
            raise FindingError("saved and loaded again, the network is another one")


def _check_equal(
    network: nn.Module, found: Inspection, streams: Mapping[str, Mapping[str, npt.NDArray[Any]]]
) -> None:
    """Check every weight by a second reading of the streams' codes."""
    dense = _dense(network)
    for name, entry in found.directory.items():
        value = dense[name]
        if (value.shape, value.dtype) != (entry.shape, numpy_dtype(entry.dtype())):
            raise FindingError(f"shape or dtype of {entry.kind}")
        if not _same(value, expected(entry.kind, entry.shape, streams[name])):
            raise FindingError(f"the weight of {entry.kind} is not what its streams say")


def _dense(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    tensors = {name: getattr(e.module, e.tensor) for name, e in places(network).items()}
    return {name: to_numpy(each).reshape(tuple(each.shape)) for name, each in tensors.items()}


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _state(network: nn.Module) -> list[tuple[str, int, int, tuple[int, ...]]]:
    """Say of every tensor what changes when something is written to it or put in its place."""
    return [
        (name, id(value), value._version, tuple(value.shape))
        for name, place in places(network).items()
        for value in [original_of(place.module, place.tensor)]
    ]


def _check_sentence(text: str, path: Path) -> None:
    """Check that an error is one line that names the file and ends as a sentence does."""
    whole = text.endswith(".") and str(path) in text and text[:1].isupper()
    if not whole or "\n" in text or len(text) > LONGEST_SENTENCE:
        raise FindingError(f"no sentence: {text[:200]!r} of {len(text)} characters")
