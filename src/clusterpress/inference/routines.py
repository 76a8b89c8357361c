"""The three compiled routines of "convolve, then add", each for one shape of tiles."""

from collections.abc import Callable
from functools import cache

from clusterpress.inference.vectors import REGISTERS, Value, Vectors, cgutils, ir, routine

QUAD = 4  # Kernels convolved at once: they share the loads of the patches.
_PAIR = 2  # Vectors convolved at once: they share the loads of the taps.
_FLIPPED = 9  # Taps of kernels that are convolved with their flips.


@cache
def patches(lanes: int, vectors: int, pieces: int, taps: int) -> Callable[..., None]:
    """Compile: gather what every tap of a kernel sees, out of one channel.

    Arguments, addresses all: the channel's row (float32), the shifts of the taps (int64, (taps,)),
    the starts of the tile's pieces (int32, (vectors * pieces,)), where the patches go (float32,
    (taps, vectors, lanes)).
    """

    def write(build: Value, values: list[Value]) -> None:
        v = Vectors(build, lanes)
        row, shifts = v.place(values[0]), v.place(values[1], cgutils.intp_t)
        starts, out = v.place(values[2], v.int32), v.place(values[3])
        with v.loop(vectors) as (vector, _):
            first = build.mul(vector, v.index(pieces))
            begins = [
                v.at(row, v.number(starts, build.add(first, v.index(n)))) for n in range(pieces)
            ]
            for tap in range(taps):
                shift = build.load(v.at(shifts, tap))
                seen = v.gather([v.at(begin, shift) for begin in begins])
                to = build.mul(build.add(v.index(tap * vectors), vector), v.index(lanes))
                v.store(seen, out, to)

    return routine(write)


@cache
def even_and_odd(lanes: int, vectors: int) -> Callable[..., None]:
    """Compile: turn patches of 3x3 taps into those of ``flips.PARTS``, which flips only negate.

    Arguments, addresses: the patches and where the parts go, float32, (9, vectors, lanes).
    """

    def write(build: Value, values: list[Value]) -> None:
        v = Vectors(build, lanes)
        source, out = v.place(values[0]), v.place(values[1])
        with v.loop(vectors * lanes, lanes) as (at, _):
            places = [build.add(at, v.index(n * vectors * lanes)) for n in range(_FLIPPED)]
            taps = [v.load(source, place) for place in places]
            rows = [
                (v.add(a, c), b, v.sub(a, c)) for a, b, c in zip(*[iter(taps)] * 3, strict=True)
            ]
            sums = [v.add(a, c) for a, c in zip(rows[0], rows[2], strict=True)]
            differences = [v.sub(a, c) for a, c in zip(rows[0], rows[2], strict=True)]
            even = [sums[0], rows[1][0], sums[1], rows[1][1]]
            parts = [*even, *differences[:2], sums[2], rows[1][2], differences[2]]
            for part, place in zip(parts, places, strict=True):
                v.store(part, out, place)

    return routine(write)


@cache
def quads(lanes: int, vectors: int, taps: int) -> Callable[..., None]:
    """Compile: convolve patches with quads of kernels.

    Arguments: the addresses of the patches (float32, (taps, vectors, lanes)), of the quads' taps
    (float32, (count, taps, 4)) and of where the rows go (float32, (count, 4, vectors, lanes));
    the count.
    """

    def write(build: Value, values: list[Value]) -> None:
        v = Vectors(build, lanes)
        seen, kernels, out = (v.place(value) for value in values[:3])
        with v.loop(values[3]) as (quad, _):
            weights = v.at(kernels, build.mul(quad, v.index(taps * QUAD)))
            rows = v.at(out, build.mul(quad, v.index(QUAD * vectors * lanes)))
            for first in range(0, vectors, _PAIR):
                pair = range(first, min(first + _PAIR, vectors))
                totals: dict[tuple[int, int], Value] = {}
                for tap in range(taps):
                    loaded = {n: v.load(seen, (tap * vectors + n) * lanes) for n in pair}
                    for kernel in range(QUAD):
                        weight = v.fill(weights, tap * QUAD + kernel)
                        for n in pair:
                            total = totals.get((kernel, n))
                            totals[kernel, n] = v.multiply_add(total, weight, loaded[n])
                for (kernel, n), total in totals.items():
                    v.store(total, rows, (kernel * vectors + n) * lanes)

    return routine(write)


@cache
def flipped_quads(lanes: int, vectors: int) -> Callable[..., None]:
    """Compile: convolve the parts of ``even_and_odd`` with kernels and with their flips.

    Arguments: as of ``quads``, with 9 numbers for each four kernels: one, its horizontal flip, its
    vertical flip, and both.
    """

    def write(build: Value, values: list[Value]) -> None:
        v = Vectors(build, lanes)
        seen, kernels, out = (v.place(value) for value in values[:3])
        with v.loop(values[3]) as (quad, _):
            weights = v.at(kernels, build.mul(quad, v.index(_FLIPPED)))
            rows = v.at(out, build.mul(quad, v.index(QUAD * vectors * lanes)))
            for first in range(0, vectors, _PAIR):
                pair = range(first, min(first + _PAIR, vectors))
                parts: dict[tuple[int, int], Value] = {}
                for tap, kind in enumerate(PART_OF):
                    weight = v.fill(weights, tap)
                    for n in pair:
                        loaded = v.load(seen, (tap * vectors + n) * lanes)
                        parts[kind, n] = v.multiply_add(parts.get((kind, n)), weight, loaded)
                for n in pair:
                    for kernel, row in enumerate(_turned(v, [parts[kind, n] for kind in range(4)])):
                        v.store(row, rows, (kernel * vectors + n) * lanes)

    return routine(write)


PART_OF = (0, 0, 0, 0, 1, 1, 2, 2, 3)  # Which flips negate a part: none, vertical, horizontal, one.


def _turned(v: Vectors, parts: list[Value]) -> list[Value]:
    even, vertical, horizontal, odd = parts
    same, other = v.add(even, odd), v.sub(even, odd)
    both, differing = v.add(vertical, horizontal), v.sub(vertical, horizontal)
    return [v.add(same, both), v.add(other, differing), v.sub(other, differing), v.sub(same, both)]


@cache
def adding(lanes: int, vectors: int) -> Callable[..., None]:
    """Compile: add to every output its rows of a block, each times its weight.

    Arguments: the addresses of the rows (float32, (slots, vectors, lanes)), of the number of terms
    of every output (int32), of the terms' slots (uint16) and weights (float32) and of the outputs
    (float32, (outputs, vectors, lanes)); how many outputs; 1 where these begin anew, else 0.
    """
    chains = max(1, REGISTERS // vectors)

    def write(build: Value, values: list[Value]) -> None:
        v = Vectors(build, lanes)
        rows, counts = v.place(values[0]), v.place(values[1], v.int32)
        out = v.place(values[4])
        cursor = [
            cgutils.alloca_once_value(build, v.place(a, k))
            for a, k in ((values[2], v.int16), (values[3], v.real))
        ]
        totals = v.registers(chains * vectors)
        anew = build.trunc(values[6], ir.IntType(1))
        with v.loop(values[5]) as (output, _):
            to = v.at(out, build.mul(output, v.index(vectors * lanes)))
            with build.if_else(anew) as (begins, goes_on):
                with begins:
                    for n in range(vectors):
                        build.store(v.zero, totals[n])
                with goes_on:
                    for n in range(vectors):
                        build.store(v.load(to, n * lanes), totals[n])
            for total in totals[vectors:]:
                build.store(v.zero, total)
            slots, weights = (build.load(each) for each in cursor)
            count = v.number(counts, output)
            whole = build.and_(count, v.index(-chains))
            with v.loop(whole, chains) as (term, _):
                for chain in range(chains):
                    at = build.add(term, v.index(chain))
                    _add_row(v, (rows, slots, weights), at, totals[chain * vectors :][:vectors])
            with v.loop(build.sub(count, whole)) as (term, _):
                _add_row(v, (rows, slots, weights), build.add(whole, term), totals[:vectors])
            for n in range(vectors):
                sums = [build.load(total) for total in totals[n::vectors]]
                while len(sums) > 1:
                    sums = [v.add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
                v.store(sums[0], to, n * lanes)
            for each, table in zip(cursor, (slots, weights), strict=True):
                build.store(v.at(table, count), each)

    return routine(write)


def _add_row(v: Vectors, tables: tuple[Value, ...], term: Value, totals: list[Value]) -> None:
    rows, slots, weights = tables
    size = len(totals) * v.lanes
    row = v.at(rows, v.build.mul(v.number(slots, term), v.index(size)))
    weight = v.fill(weights, term)
    for n, total in enumerate(totals):
        sum_ = v.multiply_add(v.build.load(total), weight, v.load(row, n * v.lanes))
        v.build.store(sum_, total)
