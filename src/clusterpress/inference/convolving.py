"""The stages of "convolve, then add": fill the rows, convolve and add blocks, write the output."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import carray, njit, types  # type: ignore[attr-defined, unused-ignore]

from clusterpress.inference.crew import openmp
from clusterpress.inference.routines import (
    QUAD,
    adding,
    even_and_odd,
    flipped_quads,
    patches,
    quads,
)
from clusterpress.inference.stages import pointer

STAGES = 3
Shape = tuple[int, int, int, int]  # Lanes, vectors of a tile, pieces of a vector, taps.

# What a task holds, int64. Addresses first.
FIELDS = (
    "x", "out", "rows", "room", "sums",
    "line_places", "column_places", "shifts", "starts", "runs", "bias",
    "bounds", "inputs", "taps", "terms", "counts", "slots", "weights",
    "image_stride", "channel_stride", "line_stride", "column_stride",
    "images", "height", "width", "channels", "row", "compact",
    "room_size", "outputs", "out_size", "tiles", "groups", "blocks", "run_count", "rectified",
)  # fmt: skip
_AT = {name: place for place, name in enumerate(FIELDS)}


@cache
def _fill() -> Callable[..., None]:
    """Compile: write a share of the channels into their rows; the zeros between stay."""
    a = _AT
    x_, rows_, lines_, columns_ = a["x"], a["rows"], a["line_places"], a["column_places"]
    images_, height_, width_, channels_ = a["images"], a["height"], a["width"], a["channels"]
    si, sc, sl, sw = (a[f"{n}_stride"] for n in ("image", "channel", "line", "column"))
    row_, compact_ = a["row"], a["compact"]

    @njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def fill(task: Any, number: Any, pieces: Any) -> None:
        images, height, width, channels = (
            task[images_],
            task[height_],
            task[width_],
            task[channels_],
        )
        lines = carray(pointer(task[lines_], np.int64), (images * height,))
        columns = carray(pointer(task[columns_], np.int64), (width,))
        for c in range(channels * number // pieces, channels * (number + 1) // pieces):
            for n in range(images):
                for y in range(height):
                    at = task[x_] + 4 * (n * task[si] + c * task[sc] + y * task[sl])
                    to = task[rows_] + 4 * (c * task[row_] + lines[n * height + y])
                    step = task[sw]
                    source = carray(pointer(at, np.float32), ((width - 1) * step + 1,))
                    if not task[compact_]:
                        place = carray(pointer(to, np.float32), (task[row_],))
                        for x in range(width):
                            place[columns[x]] = source[x * step]
                        continue
                    line = carray(pointer(to, np.float32), (width,))
                    if step == 1:
                        for x in range(width):
                            line[x] = source[x]
                    else:
                        for x in range(width):
                            line[x] = source[x * step]

    return fill  # type: ignore[no-any-return, unused-ignore]


@cache
def _unit(shape: Shape) -> Callable[..., None]:
    """Compile: all blocks of a group of inputs, for one tile."""
    lanes, vectors, parts, tap_count = shape
    gather, plain = patches(lanes, vectors, parts, tap_count), quads(lanes, vectors, tap_count)
    fold, flipped = even_and_odd(lanes, vectors), flipped_quads(lanes, vectors)
    add, size = adding(lanes, vectors), 4 * lanes * vectors
    seen_size, per_tile = size * tap_count, 4 * parts * vectors
    a = dict(_AT)
    rows_, room_, row_, starts_, shifts_ = (
        a["rows"], a["room"], a["row"], a["starts"], a["shifts"],
    )  # fmt: skip
    bounds_, inputs_, taps_, terms_ = a["bounds"], a["inputs"], a["taps"], a["terms"]
    counts_, slots_, weights_, sums_ = a["counts"], a["slots"], a["weights"], a["sums"]
    groups_, blocks_, outputs_, tiles_ = a["groups"], a["blocks"], a["outputs"], a["tiles"]
    room_size_, channels_, quad, nine = a["room_size"], a["channels"], QUAD, 9

    @njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def unit(task: Any, number: Any, tile: Any, group: Any) -> None:
        seen = task[room_] + number * task[room_size_]
        folded = seen + seen_size
        rows = folded + size * nine
        groups, count, outputs = task[groups_], task[blocks_], task[outputs_]
        bounds = carray(pointer(task[bounds_], np.int64), (count + 1,))
        terms = carray(pointer(task[terms_], np.int64), (count + 1,))
        inputs = carray(pointer(task[inputs_], np.int64), (task[channels_], 4))
        sums = task[sums_] + (group * task[tiles_] + tile) * outputs * size
        starts = task[starts_] + tile * per_tile
        begin = count * group // groups
        for block in range(begin, count * (group + 1) // groups):
            for i in range(bounds[block], bounds[block + 1]):
                flips, plains = inputs[i, 0], inputs[i, 1]
                row = task[rows_] + 4 * i * task[row_]
                taps, to = task[taps_] + 4 * inputs[i, 3], rows + inputs[i, 2] * size
                gather((row, task[shifts_], starts, seen))
                if flips:
                    fold((seen, folded))
                    flipped((folded, taps, to, flips))
                    taps += 4 * nine * flips
                    to += quad * size * flips
                plain((seen, taps, to, plains))
            term = terms[block]
            add(
                (
                    rows,
                    task[counts_] + 4 * block * outputs,
                    task[slots_] + 2 * term,
                    task[weights_] + 4 * term,
                    sums,
                    outputs,
                    np.int64(block == begin),
                )
            )

    return unit  # type: ignore[no-any-return, unused-ignore]


@cache
def _write() -> Callable[..., None]:
    """Compile: add the groups' sums and the bias of a share of the outputs, and place them."""
    a = dict(_AT)
    sums_, runs_, bias_, out_, count_ = a["sums"], a["runs"], a["bias"], a["out"], a["run_count"]
    groups_, tiles_, outputs_ = a["groups"], a["tiles"], a["outputs"]
    size_, rectified_ = a["out_size"], a["rectified"]
    zero = np.float32(0)

    @njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def write(task: Any, number: Any, pieces: Any, row: Any) -> None:
        outputs, count = task[outputs_], task[count_]
        runs = carray(pointer(task[runs_], np.int64), (count, 4))
        bias = carray(pointer(task[bias_], np.float32), (outputs,))
        for o in range(outputs * number // pieces, outputs * (number + 1) // pieces):
            for n in range(count):
                tile, first, target, length = runs[n]
                place = task[out_] + 4 * (o * task[size_] + target)
                out = carray(pointer(place, np.float32), (length,))
                for group in range(task[groups_]):
                    at = ((group * task[tiles_] + tile) * outputs + o) * row + first
                    sums = carray(pointer(task[sums_] + 4 * at, np.float32), (length,))
                    start = bias[o]
                    if group:
                        for p in range(length):
                            out[p] += sums[p]
                    else:
                        for p in range(length):
                            out[p] = start + sums[p]
                if task[rectified_]:
                    for p in range(length):
                        out[p] = max(out[p], zero)

    return write  # type: ignore[no-any-return, unused-ignore]


@cache
def compiled(shape: Shape) -> tuple[Callable[[int, int, int, int], None], int | None]:
    """Compile a task of tiles of this shape: one stage of a piece, and all of them for OpenMP."""
    fill, unit, write = _fill(), _unit(shape), _write()
    tiles_, groups_, size, row = _AT["tiles"], _AT["groups"], len(FIELDS), shape[0] * shape[1]

    @njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def piece(address: Any, number: Any, pieces: Any, stage: Any) -> None:
        task = carray(pointer(address, np.int64), (size,))
        if stage == 0:
            fill(task, number, pieces)
        elif stage == 1:
            units = task[tiles_] * task[groups_]
            for n in range(units * number // pieces, units * (number + 1) // pieces):
                unit(task, number, n // task[groups_], n % task[groups_])
        else:
            write(task, number, pieces, row)

    library = openmp()
    if library is None:
        return piece, None
    number_of, pieces_of = library.omp_get_thread_num, library.omp_get_num_threads
    barrier = library.GOMP_barrier

    @numba.cfunc(types.void(types.int64))  # type: ignore[untyped-decorator, unused-ignore]
    def entry(address: Any) -> None:
        number, pieces = np.int64(number_of()), np.int64(pieces_of())
        piece(address, number, pieces, 0)
        barrier()
        piece(address, number, pieces, 1)
        barrier()
        piece(address, number, pieces, 2)

    _KEPT.append(entry)
    return piece, int(entry.address or 0)


_KEPT: list[Any] = []  # Compiled C functions, whose code must not be freed.
