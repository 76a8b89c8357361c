"""A segment of the index: the typed rows of some records, column by column, in one file.

A segment is a zip of numpy arrays (``.npz``), so every column has its CRC and is read alone. Text
is a list of words and a number a row; a column of floats that is mostly empty holds its places.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]
Stamp = int
"""A hash of what changes when a file does: its times in nanoseconds, its size, its number."""

Kind = Literal["text", "dense", "sparse"]
COLUMNS, NAMES, STAMPS = "columns", "names", "stamps"
DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


class DamagedSegmentError(Exception):
    """A segment cannot be read; its argument is the path."""


@dataclass(frozen=True)
class Segment:
    """An open segment.

    Attributes:
        path: Its file.
        names: The folders of its records, in the order of its rows.
        stamps: What each record's file was when it was read.
        kinds: How each column is held, by its name, in order.
        read: Gives an array of the file by name.
    """

    path: Path
    names: list[str]
    stamps: list[Stamp]
    kinds: dict[str, Kind]
    read: Callable[[str], Array]

    def column(self, name: str) -> Array:
        """Give a column's values, one a row; NaN where the segment has no such column.

        Raises:
            DamagedSegmentError: The file is damaged.
        """
        if name not in self.kinds:
            return np.full(len(self.names), np.nan)
        try:
            return self._decoded(name)
        except DAMAGE as error:
            raise DamagedSegmentError(self.path) from error

    def _decoded(self, name: str) -> Array:
        place = list(self.kinds).index(name)
        values = self.read(f"{place}")
        if self.kinds[name] == "text":
            return np.array(json.loads(self.read(f"{place}w").tobytes()), object)[values]
        if self.kinds[name] == "sparse":
            dense = np.full(len(self.names), np.nan)
            dense[self.read(f"{place}at")] = values
            return dense
        return values


@contextmanager
def opened(path: Path) -> Iterator[Segment]:
    """Open a segment.

    Raises:
        DamagedSegmentError: It is gone, unreadable or damaged.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(np.load(path, allow_pickle=False))
            names, stamps = file[NAMES].tolist(), file[STAMPS]
            kinds = dict(json.loads(file[COLUMNS].tobytes()))
        except DAMAGE as error:
            raise DamagedSegmentError(path) from error
        yield Segment(path, names, stamps.tolist(), kinds, file.__getitem__)


def write(
    path: Path, names: list[str], stamps: list[Stamp], columns: Iterable[tuple[str, Array]]
) -> None:
    """Write a segment, whole or not at all; it is not synced, for it can be made again.

    Args:
        path: The file.
        names: The records' folders.
        stamps: What the records' files were when they were read.
        columns: Name and values of each column; taken one at a time.

    Raises:
        OSError: The folder cannot be written.
    """
    temporary = path.with_suffix(".tmp")
    kinds: list[tuple[str, Kind]] = []
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as file:
            for place, (name, values) in enumerate(columns):
                kind, arrays = _encoded(values)
                kinds.append((name, kind))
                for suffix, array in arrays.items():
                    _add(file, f"{place}{suffix}", array)
            _add(file, NAMES, np.array(names, np.str_))
            _add(file, STAMPS, np.array(stamps, np.int64))
            _add(file, COLUMNS, _bytes(kinds))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _encoded(values: Array) -> tuple[Kind, Mapping[str, Array]]:
    if values.dtype == object:
        codes, words = pd.factorize(values)
        return "text", {"": codes.astype(np.int32), "w": _bytes(list(words))}
    if values.dtype == np.float64:
        at = np.flatnonzero(~np.isnan(values))
        if 2 * len(at) < len(values):
            return "sparse", {"": values[at], "at": at.astype(np.int32)}
    return "dense", {"": values}


def _bytes(value: Any) -> Array:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _add(file: zipfile.ZipFile, name: str, array: Array) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, array, allow_pickle=False)
