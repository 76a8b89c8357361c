"""Weighted sums of rows of numbers, written for LLVM so that the sum stays in registers."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from numba import njit, types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic

Value = Any  # An LLVM value, type or pointer.

LANES = 8  # float32 of a vector register of AVX2.
WIDEST = 72  # Nine of sixteen registers hold the sum; with twelve it is slower, measured.
_FUSED = ("contract",)  # A product and a sum may round once.
_CHAINS = 8  # Sums at once that hide how long a fused multiply-add takes.

ir: Any = import_module("llvmlite.ir")
cgutils: Any = untyped_cgutils


@cache
def weighted_sum(width: int) -> Callable[..., None]:
    """Give the compiled ``width`` sums over rows.

    The function writes ``out[p] = start + sum_m weights[m] * source[offsets[m] + p]`` for p below
    ``width``, or ``low`` where that is below it. Its arguments are five integers in a tuple: the
    addresses of ``out`` and ``source`` (float32), ``offsets`` (int32) and ``weights`` (float32),
    and the number of terms; then ``start`` and ``low`` (float32).
    """
    chains = max(1, _CHAINS * LANES // width)

    @intrinsic  # type: ignore[untyped-decorator, unused-ignore]
    def total(_typing: Any, places: Any, start: Any, low: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            addresses = [builder.extract_value(args[0], n) for n in range(places.count)]
            _Sum(builder, width, chains).write(addresses, *args[1:])
            return context.get_dummy_value()

        return types.void(places, start, low), generate

    written: Any = total

    @njit(nogil=True, inline="never")  # type: ignore[untyped-decorator, unused-ignore]
    def compiled(places: Any, start: Any, low: Any) -> None:
        written(places, start, low)

    return compiled  # type: ignore[no-any-return, unused-ignore]


class _Sum:
    """Writes the instructions of one weighted sum, a register for every ``LANES`` numbers."""

    def __init__(self, builder: Any, width: int, chains: int) -> None:
        self.builder, self.chains = builder, chains
        self.real, self.int32 = ir.FloatType(), ir.IntType(32)
        self.row = ir.VectorType(self.real, LANES)
        self.parts = width // LANES

    def write(self, places: list[Value], start: Value, low: Value) -> None:
        """Sum ``chains`` terms at once, then those that are left, and store the sum."""
        out, source, offsets, weights, count = places
        build = self.builder
        tables = [
            build.inttoptr(address, kind.as_pointer())
            for address, kind in ((source, self.real), (offsets, self.int32), (weights, self.real))
        ]
        totals = self._totals(start)
        step = cgutils.intp_t(self.chains)
        whole = build.mul(build.sdiv(count, step), step)
        with cgutils.for_range_slice(build, cgutils.intp_t(0), whole, step, inc=True) as (m, _):
            for chain, total in enumerate(totals):
                self._add(total, tables, build.add(m, cgutils.intp_t(chain)))
        one = cgutils.intp_t(1)
        with cgutils.for_range_slice(build, whole, count, one, inc=True) as (m, _):
            self._add(totals[0], tables, m)
        self._store(totals, build.inttoptr(out, self.row.as_pointer()), self._fill(low))

    def _totals(self, start: Value) -> list[list[Value]]:
        """Give places that LLVM turns into registers; the first chain begins at ``start``."""
        zero = ir.Constant(self.real, 0.0)
        firsts = [start, *[zero] * (self.chains - 1)]
        return [
            [cgutils.alloca_once_value(self.builder, self._fill(first)) for _ in range(self.parts)]
            for first in firsts
        ]

    def _add(self, total: list[Value], tables: list[Value], m: Value) -> None:
        build, (source, offsets, weights) = self.builder, tables
        offset = build.sext(build.load(build.gep(offsets, [m])), cgutils.intp_t)
        place = build.bitcast(build.gep(source, [offset]), self.row.as_pointer())
        weight = self._fill(build.load(build.gep(weights, [m])))
        for part, register in enumerate(total):
            row = build.load(build.gep(place, [cgutils.intp_t(part)]), align=4)
            product = build.fmul(weight, row, flags=_FUSED)
            build.store(build.fadd(build.load(register), product, flags=_FUSED), register)

    def _store(self, totals: list[list[Value]], out: Value, low: Value) -> None:
        build = self.builder
        for part in range(self.parts):
            result = build.load(totals[0][part])
            for total in totals[1:]:
                result = build.fadd(result, build.load(total[part]))
            result = build.select(build.fcmp_ordered("<", result, low), low, result)
            build.store(result, build.gep(out, [cgutils.intp_t(part)]), align=4)

    def _fill(self, number: Value) -> Value:
        nothing = ir.Constant(self.row, ir.Undefined)
        one = self.builder.insert_element(nothing, number, self.int32(0))
        zeros = ir.Constant(ir.VectorType(self.int32, LANES), [0] * LANES)
        return self.builder.shuffle_vector(one, nothing, zeros)
