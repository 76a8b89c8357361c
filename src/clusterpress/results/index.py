"""The index of a store's records: a cache, so that a record is read once and not at each look.

It is a folder of segments, each with the flat rows of some records and what their files were when
they were read. A record that was added, changed or removed is known by listing the folders; only
what no segment knows is read, and goes into a new segment. Segments never change: they appear
whole under names of their own, so that processes may write at the same time, and what two of them
wrote twice counts once. Many segments, or many rows of records that are gone, become one segment.
A segment that is missing or damaged costs the reading of its records, and nothing else does.
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from clusterpress.results import flatten as flattening
from clusterpress.results import segments, tidy
from clusterpress.results.flatten import flatten
from clusterpress.results.segments import Array, DamagedSegmentError, Segment, Stamp
from clusterpress.results.tidy import Row, ordered, typed

RECORD = "record.json"
FACT = "fact_"
ROWS = 2048
"""Records that are held as Python objects at a time."""

MOST = 8
"""Segments that are kept apart."""


def indexed(folder: Path, runs: Path, *, facts: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """Give the typed rows of all records, in the order of their folders' names.

    Args:
        folder: Where the index is; made where it can be.
        runs: The folder that holds a folder for each run.
        facts: Whether columns ``fact_*`` are wanted.

    Returns:
        The rows, and the reason by folder of each record that is damaged.
    """
    present = _present(runs)
    held = _Held(folder, present)
    kept = held.frame(facts=facts)
    missing = [name for name in present if name not in held.names]
    unwritten: list[pd.DataFrame] = []
    damaged: dict[str, str] = {}
    written = 0
    for start in range(0, len(missing), ROWS):
        frame, reasons = _read(runs, missing[start : start + ROWS])
        damaged |= reasons
        if _add(folder, frame, present):
            written += 1
        elif len(frame):
            unwritten.append(frame if facts else frame[_without_facts(frame)])
    if written + len(held.parts) > MOST or held.rows > 2 * len(held.names) + MOST:
        _join(folder, present)
    if written:  # What was read is read again from its segments: it need not all be held before.
        held.stack.close()
        held = _Held(folder, present)
        kept = held.frame(facts=facts)
    held.stack.close()
    whole = pd.concat([kept, *unwritten]) if unwritten else kept
    return ordered(whole), damaged


def _present(runs: Path) -> dict[str, Stamp]:
    """Give what each record's file is, by the name of its folder."""
    found: dict[str, Stamp] = {}
    if not runs.is_dir():
        return found
    with os.scandir(runs) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".")]
    for name in names:
        with contextlib.suppress(OSError):
            # A Path for each of many would cost a second.
            status = os.stat(f"{runs}/{name}/{RECORD}")  # noqa: PTH116
            times = (status.st_mtime_ns, status.st_ctime_ns)
            found[name] = hash((*times, status.st_size, status.st_ino))
    return found


@dataclass
class _Held:
    """The segments of a folder, and which of their rows hold of the records that are there."""

    folder: Path
    present: dict[str, Stamp]
    parts: list[tuple[Segment, Array]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    rows: int = 0
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        for path in _paths(self.folder):
            try:
                segment = self.stack.enter_context(segments.opened(path))
            except DamagedSegmentError:
                _remove(path)
                continue
            self._take(segment)

    def _take(self, segment: Segment) -> None:
        self.rows += len(segment.names)
        pairs = zip(segment.names, segment.stamps, strict=True)
        good = [
            row
            for row, (name, stamp) in enumerate(pairs)
            if self.present.get(name) == stamp and name not in self.names
        ]
        if good:
            self.names.update(segment.names[row] for row in good)
            self.parts.append((segment, np.array(good, np.int64)))

    def frame(self, *, facts: bool) -> pd.DataFrame:
        """Give the rows that hold; a segment that turns out to be damaged is left out."""
        kinds = {name: None for segment, _ in self.parts for name in segment.kinds}
        wanted = [name for name in kinds if facts or not name.startswith(FACT)]
        while True:
            try:
                index = [segment.names[row] for segment, rows in self.parts for row in rows]
                values = {name: _series(self.column(name)) for name in wanted}
                frame = pd.DataFrame(values) if values else typed(pd.DataFrame())
                return frame.set_axis(index, axis=0)
            except DamagedSegmentError as damaged:
                self._drop(damaged.args[0])

    def column(self, name: str) -> Array:
        """Give a column of the rows that hold.

        Raises:
            DamagedSegmentError: A segment is damaged.
        """
        return np.concatenate([segment.column(name)[rows] for segment, rows in self.parts])

    def _drop(self, path: Path) -> None:
        _remove(path)
        for segment, rows in self.parts:
            if segment.path == path:
                self.names.difference_update(segment.names[row] for row in rows)
        self.parts = [part for part in self.parts if part[0].path != path]


def _series(values: Array) -> pd.Series:
    """Keep text as objects, as ``typed`` does."""
    return pd.Series(values, dtype=values.dtype)


def _read(runs: Path, names: Sequence[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read some records: a typed row each, or a reason."""
    rows: dict[str, Row] = {}
    damaged: dict[str, str] = {}
    for name in names:
        try:
            text = (runs / name / RECORD).read_text(encoding="utf-8")
            rows[name] = flatten(json.loads(text))
        except FileNotFoundError:
            continue  # It was removed since the folder was listed.
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            damaged[name] = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    return typed(pd.DataFrame(list(rows.values()), index=list(rows))), damaged


def _add(folder: Path, frame: pd.DataFrame, present: dict[str, Stamp]) -> bool:
    """Write rows as a new segment, where there are any and the folder lets us; say whether."""
    if frame.empty:
        return False
    names = [str(name) for name in frame.index]
    columns = ((str(name), frame[name].to_numpy()) for name in frame)
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        segments.write(_new(folder), names, [present[name] for name in names], columns)
        return True
    return False


def _join(folder: Path, present: dict[str, Stamp]) -> None:
    """Make one segment of all; who has the old ones open may go on reading them."""
    old = _paths(folder)
    held = _Held(folder, present)
    names = [segment.names[row] for segment, rows in held.parts for row in rows]
    kinds = {name: None for segment, _ in held.parts for name in segment.kinds}
    with held.stack, contextlib.suppress(OSError, DamagedSegmentError):
        columns = ((name, held.column(name)) for name in kinds)
        segments.write(_new(folder), names, [present[name] for name in names], columns)
        for path in old:
            _remove(path)


def _paths(folder: Path) -> list[Path]:
    """List the segments of this version of the code; those of another are no use."""
    found = sorted(folder.glob("*.npz")) if folder.is_dir() else []
    return [path for path in found if path.name.startswith(_version())]


def _new(folder: Path) -> Path:
    return folder / f"{_version()}-{uuid.uuid4().hex}.npz"


@cache
def _version() -> str:
    """Name the code that makes rows of records: another makes other rows."""
    sources = (flattening, tidy, segments)
    texts = [Path(module.__file__ or "").read_bytes() for module in sources]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:12]


def _without_facts(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame if not str(name).startswith(FACT)]


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
