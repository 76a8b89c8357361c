"""One lane: the streams of its pieces, coded one after another by one arithmetic coder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.binary import check_used_up, decoder, encoder, shifted, written
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.lane_plan import MIXED, Layout, Piece, in_bands, layout, streams_of
from clusterpress.artifact.mask_model import Form, MaskState, code_mask
from clusterpress.artifact.tops import top_alphabet
from clusterpress.artifact.tree_model import Alphabet, Grid, TreeState, code_tree, ordinal

Values = npt.NDArray[Any]
# Values of the streams that are given, or found: masks in two dimensions, others flat symbols.
Parts = dict[str, Values]


@dataclass(frozen=True)
class Coded:
    """What came of a piece: its values by part, and how many bytes of the lane each took."""

    piece: Piece
    values: Parts
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class _Task:
    """A band of a stream to code, where it lies, and what is given of its tensor."""

    stream: StreamEntry
    place: Layout
    band: Piece
    given: Parts

    @property
    def rows(self) -> slice:
        """The band's rows."""
        return self.band.rows(self.place.rows)

    def kept(self, found: Parts) -> Values | None:
        """Give the band's mask, where the stream has values of kept places alone."""
        if not self.place.masked:
            return None
        return found["position"] if "position" in found else self._mask()[self.rows]

    def values(self) -> Values:
        """Give the band's values of all that are given."""
        values = self.given[self.stream.part]
        if self.band.bands == 1:
            return values
        start, stop = self.rows.start * self.place.columns, self.rows.stop * self.place.columns
        if self.place.masked:
            mask = self._mask()
            start = int(np.count_nonzero(mask[: self.rows.start]))
            stop = start + int(np.count_nonzero(mask[self.rows]))
        return values[start:stop]

    def _mask(self) -> Values:
        mask = self.given.get("position")
        if mask is None:
            raise ValueError(f"{self.stream.part} comes before the mask of what it holds")
        return mask.reshape(self.place.rows, self.place.columns)


class Lane:
    """One arithmetic coder with all that it learns.

    Args:
        data: The bytes to decode; None to encode.
    """

    def __init__(self, data: bytes | None = None) -> None:
        self.decoding = data is not None
        self.coder = encoder() if data is None else decoder(data)
        self.size = len(data or b"")
        self.masks = MaskState()
        self.trees: dict[tuple[object, ...], TreeState] = {}

    def run(self, entry: TensorEntry, piece: Piece, given: Parts) -> Coded:
        """Code a piece.

        Args:
            entry: Its tensor.
            piece: Which band.
            given: All of the tensor's values by part where encoding; where decoding, the mask if
                it is not in a lane.

        Raises:
            ValueError: A symbol is outside its alphabet.
        """
        found: Parts = {}
        sizes: dict[str, int] = {}
        for stream in streams_of(entry, piece):
            before = shifted(self.coder[0], decoding=self.decoding)
            band = piece if in_bands(entry, stream, piece) else Piece(piece.tensor)
            task = _Task(stream, layout(entry, stream), band, given)
            if stream.part == "position":
                found[stream.part] = self._mask(task)
            else:
                found[stream.part] = self._tree(task, task.kept(found))
            sizes[stream.part] = shifted(self.coder[0], decoding=self.decoding) - before
        return Coded(piece, found, sizes)

    def _mask(self, task: "_Task") -> Values:
        place, rows = task.place, task.rows
        if self.decoding:
            mask = np.zeros((rows.stop - rows.start, place.columns), np.uint8)
        else:
            mask = task.given["position"][rows]
        kernel = (place.taps, place.line)
        data = code_mask(mask, kernel, self.coder, self.masks, self._form(task.stream))
        self.coder = (self.coder[0], data)
        return mask

    def _tree(self, task: "_Task", kept: Values | None) -> Values:
        place, stream = task.place, task.stream
        if self.decoding:
            cells = (task.rows.stop - task.rows.start) * place.columns
            values = np.zeros(cells if kept is None else int(np.count_nonzero(kept)), np.uint16)
        else:
            values = task.values()
        alphabet = alphabet_of(stream)
        state = self._state(task.band.tensor, stream, alphabet)
        grid = Grid(place.columns, place.taps, place.line, kept)
        data = code_tree(values, grid, alphabet, self.coder, state, self._form(stream))
        self.coder = (self.coder[0], data)
        if self.decoding and isinstance(stream.form, int):
            highest = int(values.max(initial=0))
            if highest >= stream.form:
                raise ValueError(f"symbol {highest} in an alphabet of {stream.form}")
        return values

    def _form(self, stream: StreamEntry) -> Form:
        return Form(self.decoding, stream.coder == MIXED)

    def _state(self, tensor: str, stream: StreamEntry, alphabet: Alphabet) -> TreeState:
        """Give what was learned of symbols alike: of one part and width, or of floats one role."""
        key: tuple[object, ...] = (stream.part, alphabet.bits)
        if isinstance(stream.form, str):
            key = (stream.part, stream.form, tensor.rpartition(".")[2])
        if key not in self.trees:
            self.trees[key] = TreeState(alphabet.bits)
        return self.trees[key]

    def end(self) -> bytes:
        """End the lane: its bytes where encoding.

        Raises:
            ValueError: Decoding took more or fewer bytes than there are.
        """
        if not self.decoding:
            return written(*self.coder)
        check_used_up(self.coder[0], self.size)
        return b""


def run_lane(
    pieces: Sequence[Piece],
    tensors: Mapping[str, TensorEntry],
    given: Mapping[str, Parts],
    data: bytes | None = None,
) -> tuple[list[Coded], bytes]:
    """Code the pieces of a lane; the last stream has what ends it.

    Args:
        pieces: Of ``plan``.
        tensors: The directory.
        given: As ``Lane.run`` takes them, by tensor.
        data: The lane's bytes to decode; None to encode.

    Returns:
        What came of each piece, and the lane's bytes where encoding.

    Raises:
        ValueError: The bytes are not those of such a lane.
    """
    lane = Lane(data)
    done = [lane.run(tensors[one.tensor], one, given.get(one.tensor, {})) for one in pieces]
    out = lane.end()
    size = len(out) if data is None else len(data)
    rest = size - sum(sum(one.sizes.values()) for one in done)
    last = done[-1]
    *_, part = last.sizes
    done[-1] = Coded(last.piece, last.values, {**last.sizes, part: last.sizes[part] + rest})
    return done, out


def alphabet_of(stream: StreamEntry) -> Alphabet:
    """Give the alphabet of a stream that is no mask."""
    if isinstance(stream.form, str):
        return top_alphabet(stream.form)
    return ordinal(stream.form)
