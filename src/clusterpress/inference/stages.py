"""Compiled stages: many weighted sums, whose terms tables name, shared out among threads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba import carray, njit, types  # type: ignore[attr-defined, unused-ignore]
from numba.extending import intrinsic

from clusterpress.inference.crew import openmp, run
from clusterpress.inference.sums import weighted_sum

Ints = npt.NDArray[np.int64]
_FIELDS = 10  # Of a stage in a task.
_HEAD = 2


@dataclass(frozen=True)
class Stage:
    """Sums ``g``: ``out[place[g] + p] = start[g] + sum_m weights[m] * source[offsets[m] + p]``.

    Attributes:
        units: The first sum of every unit of work, and the number of sums, shape (units + 1,).
        terms: The first term of every sum, and the number of terms, shape (sums + 1,).
        offsets: int32, shape (terms,).
        weights: float32, shape (terms,).
        starts: float32, shape (sums,).
        places: int64, shape (sums,).
        width: Numbers of a tile.
        tiles: Tiles of a sum.
        rectified: Whether negative sums become zero.
    """

    units: Ints
    terms: Ints
    offsets: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    starts: npt.NDArray[np.float32]
    places: Ints
    width: int
    tiles: int
    rectified: bool

    def fields(self, source: int, out: int) -> list[int]:
        """Give what a task holds of the stage, for these addresses of the first numbers."""
        arrays = (self.units, self.terms, self.offsets, self.weights, self.starts, self.places)
        addresses = [array.ctypes.data for array in arrays]
        return [source, out, *addresses, self.tiles, int(self.rectified)]


@dataclass(frozen=True)
class Task:
    """Stages that a thread does one after the other for each of its units.

    Attributes:
        stages: One or two.
        numbers: What the compiled function reads, int64: how many units there are, bytes from a
            thread's scratch to the next thread's, then the fields of every stage. With two stages,
            the first one's output is the second one's source, and is scratch.
    """

    stages: tuple[Stage, ...]
    numbers: Ints

    @classmethod
    def of(cls, stages: tuple[Stage, ...], addresses: tuple[int, ...], scratch: int) -> "Task":
        """Build the task; ``addresses`` are those of the source, the scratch if any, the output."""
        fields = [
            number
            for place, stage in enumerate(stages)
            for number in stage.fields(*addresses[place : place + 2])
        ]
        numbers = np.array([len(stages[0].units) - 1, scratch, *fields], np.int64)
        return cls(stages, numbers)

    def run(self) -> None:
        """Do it on torch's threads."""
        piece, entry = _compiled(tuple(stage.width for stage in self.stages))
        run(entry, piece, self.numbers.ctypes.data)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _cast(_typing: Any, _address: Any, like: Any) -> Any:
    """Give an address as a pointer to numbers of a type."""
    kind = types.CPointer(like.dtype)  # type: ignore[no-untyped-call, unused-ignore]
    signature = kind(types.int64, like)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(kind))

    return signature, generate


pointer: Any = _cast


@cache
def _stage(width: int) -> Callable[..., None]:
    add = weighted_sum(width)
    lowest, zero = np.float32(-np.inf), np.float32(0)

    @njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def stage(task: Any, at: Any, unit: Any, source: Any, out: Any) -> None:
        units = carray(pointer(task[at + 2], np.int64), (unit + 2,))
        first, last = units[unit], units[unit + 1]
        terms = carray(pointer(task[at + 3], np.int64), (last + 1,))
        starts = carray(pointer(task[at + 6], np.float32), (last,))
        places = carray(pointer(task[at + 7], np.int64), (last,))
        low = zero if task[at + 9] else lowest
        for tile in range(task[at + 8]):
            shift = tile * width * 4
            for g in range(first, last):
                begin, count = terms[g], terms[g + 1] - terms[g]
                offsets, weights = task[at + 4] + 4 * begin, task[at + 5] + 4 * begin
                to = out + 4 * places[g] + shift
                add((to, source + shift, offsets, weights, count), starts[g], low)

    return stage  # type: ignore[no-any-return, unused-ignore]


@cache
def _compiled(widths: tuple[int, ...]) -> tuple[Callable[[int, int, int, int], None], int | None]:
    """Compile a task of one or two stages of these widths: for a piece, and for OpenMP."""
    first, last = _stage(widths[0]), _stage(widths[-1])
    single, head, second = len(widths) == 1, _HEAD, _HEAD + _FIELDS

    @njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def piece(address: Any, number: Any, pieces: Any, _stage_number: Any) -> None:
        task = carray(pointer(address, np.int64), (32,))
        scratch = task[1] * number
        for unit in range(task[0] * number // pieces, task[0] * (number + 1) // pieces):
            if single:
                first(task, head, unit, task[head], task[head + 1])
            else:
                first(task, head, unit, task[head], task[head + 1] + scratch)
                last(task, second, unit, task[second] + scratch, task[second + 1])

    library = openmp()
    if library is None:
        return piece, None
    number_of, pieces_of = library.omp_get_thread_num, library.omp_get_num_threads

    @numba.cfunc(types.void(types.int64))  # type: ignore[untyped-decorator, unused-ignore]
    def entry(address: Any) -> None:
        piece(address, np.int64(number_of()), np.int64(pieces_of()), 0)

    _KEPT.append(entry)
    return piece, int(entry.address or 0)


_KEPT: list[Any] = []  # Compiled C functions, whose code must not be freed.
