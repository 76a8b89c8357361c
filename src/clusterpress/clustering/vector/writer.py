"""Instructions on vectors of numbers, written for LLVM: what compiled loops leave to chance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from numba import types
from numba.core import cgutils as untyped_cgutils

Value = Any  # An LLVM value, type or pointer.

TILE = 4
LINE = 64  # Bytes of a cache line.

ir: Any = import_module("llvmlite.ir")
cgutils: Any = untyped_cgutils
INT32 = ir.IntType(32)
_FUSED = ("contract",)  # A product and a sum may round once.


class Writer:
    """Writes instructions on vectors that have as many numbers as a panel has lanes.

    Attributes:
        operands: The arguments of the kernel; the first is an array of the panels' numbers.
        reals: Type of a vector of these numbers.
    """

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        real = signature.args[0].dtype
        self.builder = builder
        self.align = real.bitwidth // 8
        self.reals = ir.VectorType(context.get_data_type(real), LINE // self.align)
        self.operands = [
            context.make_array(kind)(context, builder, value)
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args, args, strict=True)
        ]

    def sums(
        self, panel: Value, table: Value, begin: Value, start: list[Value], term: Callable[..., Any]
    ) -> list[Value]:
        """Add ``term`` over the columns of a panel and the tile that begins at ``begin``."""
        build = self.builder
        totals = [self.variable(value) for value in start]
        with self.rows(panel) as column:
            vectors = self.load(panel, column)
            place = build.add(begin, build.mul(column, self.number(TILE)))
            for lane, total in enumerate(totals):
                candidate = self.spread(table, self.plus(place, lane))
                build.store(term(build.load(total), vectors, candidate), total)
        return [build.load(total) for total in totals]

    @contextmanager
    def rows(self, array: Value) -> Iterator[Value]:
        """Loop over the rows of an array."""
        with cgutils.for_range(self.builder, self.builder.extract_value(array.shape, 0)) as loop:
            yield loop.index

    @contextmanager
    def tiles(self, table: Value) -> Iterator[tuple[Value, Value]]:
        """Loop over the tiles of a table: the first candidate of each, and where it begins."""
        width = self.builder.extract_value(table.shape, 1)
        with self.rows(table) as tile:
            first = self.builder.mul(tile, self.number(TILE))
            yield first, self.builder.mul(first, width)

    def least(self, vector: Value, array: Value, first: Value, count: Value) -> Value:
        """Give the least of a vector and ``count`` rows of an array."""
        least = self.variable(vector)
        with cgutils.for_range(self.builder, count) as loop:
            other = self.load(array, self.builder.add(first, loop.index))
            lower = self.builder.fcmp_ordered("<", other, self.builder.load(least))
            self.builder.store(self.builder.select(lower, other, self.builder.load(least)), least)
        return self.builder.load(least)

    def less_product(self, total: Value, vectors: Value, candidate: Value) -> Value:
        """Subtract a term of a scalar product."""
        product = self.builder.fmul(vectors, candidate, flags=_FUSED)
        return self.builder.fsub(total, product, flags=_FUSED)

    def plus_square(self, total: Value, vectors: Value, candidate: Value) -> Value:
        """Add a squared difference."""
        difference = self.builder.fsub(vectors, candidate)
        square = self.builder.fmul(difference, difference, flags=_FUSED)
        return self.builder.fadd(total, square, flags=_FUSED)

    def variable(self, value: Value) -> Value:
        """Give a place that LLVM turns into a register."""
        return cgutils.alloca_once_value(self.builder, value)

    def widened(self, vector: Value, kind: Value) -> Value:
        """Give a vector in a precision at least as high."""
        return vector if vector.type == kind else self.builder.fpext(vector, kind)

    def spread(self, array: Value, place: Value) -> Value:
        """Give a vector of copies of one number of an array."""
        number = self.builder.load(self.builder.gep(array.data, [place]))
        return self.fill(number, self.reals)

    def fill(self, number: Value, kind: Value) -> Value:
        """Give a vector of copies of a number."""
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(nothing, number, INT32(0))
        zeros = ir.Constant(ir.VectorType(INT32, kind.count), [0] * kind.count)
        return self.builder.shuffle_vector(one, nothing, zeros)

    def load(self, array: Value, row: Value, kind: Value | None = None) -> Value:
        """Read a row of an array as a vector (of the panels' numbers unless said)."""
        rows = self.builder.bitcast(array.data, (kind or self.reals).as_pointer())
        return self.builder.load(self.builder.gep(rows, [row]), align=4)

    def store(self, vector: Value, array: Value, row: Value) -> None:
        """Write a vector into a row of an array."""
        rows = self.builder.bitcast(array.data, vector.type.as_pointer())
        self.builder.store(vector, self.builder.gep(rows, [row]), align=4)

    def number(self, number: int) -> Value:
        """Give a number of rows."""
        return cgutils.intp_t(number)

    def plus(self, place: Value, number: int) -> Value:
        """Give a later place."""
        return self.builder.add(place, self.number(number))
