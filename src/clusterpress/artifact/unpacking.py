"""Lanes and bytes of their own -> the streams of one tensor after another."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.coders import Encoded, decode_stream
from clusterpress.artifact.directory import Directory
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.lane_plan import coded, plan
from clusterpress.artifact.lanes import Coded, Parts, run_lane
from clusterpress.artifact.tops import join, tops_values
from clusterpress.clustering.threads import available

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Unpacked:
    """The values of a tensor's streams, in order, and the bytes that each of them took."""

    values: tuple[Values, ...]
    sizes: tuple[int, ...]


class Unpacker:
    """The body of a file, decoded lane by lane.

    Args:
        directory: What it holds; checked.
        body: The bytes.

    Raises:
        ValueError: The directory does not account for every byte of the body.
    """

    def __init__(self, directory: Directory, body: bytes) -> None:
        self.tensors, self.lanes = directory.tensors, plan(directory.tensors)
        if len(directory.lanes) != len(self.lanes):
            raise ValueError(f"it has {len(directory.lanes)} lanes instead of {len(self.lanes)}")
        own = sum(one.size for entry in self.tensors.values() for one in entry.streams)
        stated = sum(directory.lanes) + own
        if stated != len(body):
            raise ValueError(f"its body has {len(body)} bytes instead of {stated}")
        self.body, self.sizes = memoryview(body), directory.lanes
        self._own = _Own(self.tensors, self.body[sum(directory.lanes) :])

    def __iter__(self) -> Iterator[tuple[str, Unpacked]]:
        """Give every tensor in order, decoding at most a few lanes ahead.

        Raises:
            ValueError: A stream is damaged; the tensor is named.
        """
        with ThreadPoolExecutor(available()) as pool:
            pieces = self._pieces(pool)
            bands = {piece.tensor: piece.bands for lane in self.lanes for piece in lane}
            for name, entry in self.tensors.items():
                own = islice(pieces, bands.get(name, 0))
                yield name, self._unpacked(name, entry, list(own))

    def _pieces(self, pool: ThreadPoolExecutor) -> Iterator[Coded]:
        """Give the pieces in order while threads decode the next lanes."""
        waiting: deque[Future[list[Coded]]] = deque()
        for number in range(len(self.lanes)):
            waiting.append(pool.submit(self._lane, number))
            if len(waiting) > available():
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _lane(self, number: int) -> list[Coded]:
        start = sum(self.sizes[:number])
        data = bytes(self.body[start : start + self.sizes[number]])
        masks: dict[str, Parts] = {}
        for piece in self.lanes[number]:
            mask = self._own.mask(piece.tensor)
            if mask is not None:
                masks[piece.tensor] = {"position": mask}
        try:
            done, _ = run_lane(self.lanes[number], self.tensors, masks, data)
        except ValueError as error:
            names = ", ".join(repr(piece.tensor) for piece in self.lanes[number][:2])
            raise ValueError(f"the lane of tensor {names}: {error}") from error
        return done

    def _unpacked(self, name: str, entry: TensorEntry, done: list[Coded]) -> Unpacked:
        values, sizes = [], []
        for stream in entry.streams:
            parts = [one.values[stream.part] for one in done if stream.part in one.values]
            try:
                values.append(self._stream(name, stream, entry, parts))
            except ValueError as error:
                raise ValueError(f"{stream.part} of tensor {name!r}: {error}") from error
            sizes.append(stream.size + sum(one.sizes.get(stream.part, 0) for one in done))
        return Unpacked(tuple(values), tuple(sizes))

    def _stream(
        self, name: str, stream: StreamEntry, entry: TensorEntry, parts: list[Values]
    ) -> Values:
        if not coded(stream):
            return self._own.values(name, stream.part)
        flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if stream.part == "position":
            return flat.reshape(entry.shape)
        values = flat.size if isinstance(stream.form, int) else tops_values(flat.size, stream.form)
        if values != stream.count:
            raise ValueError(f"{stream.count} values for a mask that keeps {values}")
        if isinstance(stream.form, int):
            return flat.astype(np.min_scalar_type(max(0, stream.form - 1)), copy=False)
        return join(flat, self._own.data(name, stream.part), stream.form)


class _Own:
    """The bytes that streams have of their own; a mask is decoded once for all bands."""

    def __init__(self, tensors: Mapping[str, TensorEntry], data: memoryview) -> None:
        self.tensors, self._masks, self._lock = tensors, dict[str, Values](), Lock()
        self._places: dict[tuple[str, str], memoryview] = {}
        start = 0
        for name, entry in tensors.items():
            for stream in entry.streams:
                self._places[name, stream.part] = data[start : start + stream.size]
                start += stream.size

    def data(self, name: str, part: str) -> bytes:
        """Give a stream's own bytes."""
        return bytes(self._places[name, part])

    def mask(self, name: str) -> Values | None:
        """Give a tensor's mask where it is in no lane, but streams of it are."""
        position = self.tensors[name].parts().get("position")
        if position is None or coded(position):
            return None
        with self._lock:
            if name not in self._masks:
                self._masks[name] = self._decoded(name, position)
            return self._masks[name]

    def values(self, name: str, part: str) -> Values:
        """Decode a stream that is in no lane."""
        if part == "position" and name in self._masks:
            return self._masks.pop(name)
        (stream,) = (one for one in self.tensors[name].streams if one.part == part)
        return self._decoded(name, stream)

    def _decoded(self, name: str, stream: StreamEntry) -> Values:
        entry = self.tensors[name]
        shape = entry.shape if stream.part == "position" else (stream.count,)
        encoded = Encoded(stream.coder, stream.form, self.data(name, stream.part))
        values = decode_stream(encoded, shape)
        return values.astype(np.uint8, copy=False) if stream.part == "position" else values
