"""Vectors of float32 for routines written in LLVM's instructions, whose sums stay in registers."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from numba import njit, types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic

Value = Any  # An LLVM value, type or pointer.
Writer = Callable[[Any, list[Value]], None]

_HOST: Any = import_module("llvmlite.binding").get_host_cpu_features()
LANES = 16 if _HOST.get("avx512f") else 8  # float32 of a vector register; 8 with AVX2.
REGISTERS = 8  # Vectors of a sum at once: two multiply-adds a cycle, each ready after four.
_FUSED = ("contract",)  # A product and a sum may round once.

ir: Any = import_module("llvmlite.ir")
cgutils: Any = untyped_cgutils


def routine(write: Writer) -> Callable[..., None]:
    """Compile what ``write(builder, values)`` writes; called with one tuple of integers."""

    @intrinsic  # type: ignore[untyped-decorator, unused-ignore]
    def body(_typing: Any, numbers: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            write(builder, [builder.extract_value(args[0], n) for n in range(numbers.count)])
            return context.get_dummy_value()

        return types.void(numbers), generate

    written: Any = body

    @njit(nogil=True, inline="never")  # type: ignore[untyped-decorator, unused-ignore]
    def compiled(numbers: Any) -> None:
        written(numbers)

    return compiled  # type: ignore[no-any-return, unused-ignore]


class Vectors:
    """Writes instructions on vectors of ``lanes`` numbers.

    Places are pointers to float32, indices are in numbers of the pointer's type.
    """

    def __init__(self, builder: Any, lanes: int = LANES) -> None:
        self.build, self.lanes = builder, lanes
        self.real, self.int32, self.int16 = ir.FloatType(), ir.IntType(32), ir.IntType(16)
        self.row = ir.VectorType(self.real, lanes)
        self.zero = ir.Constant(self.row, [0.0] * lanes)

    def index(self, number: int) -> Value:
        """Give a constant index."""
        return cgutils.intp_t(number)

    def place(self, address: Value, kind: Any = None) -> Value:
        """Give an address as a pointer to numbers of a type, float32 by default."""
        return self.build.inttoptr(address, (kind or self.real).as_pointer())

    def at(self, pointer: Value, index: Value | int) -> Value:
        """Give the pointer ``index`` numbers further."""
        return self.build.gep(pointer, [self.index(index) if isinstance(index, int) else index])

    def number(self, pointer: Value, index: Value | int) -> Value:
        """Load one integer as an index, zeros above it."""
        return self.build.zext(self.build.load(self.at(pointer, index)), cgutils.intp_t)

    def load(self, pointer: Value, index: Value | int = 0) -> Value:
        """Load a vector."""
        place = self.build.bitcast(self.at(pointer, index), self.row.as_pointer())
        return self.build.load(place, align=4)

    def store(self, vector: Value, pointer: Value, index: Value | int = 0) -> None:
        """Store a vector."""
        place = self.build.bitcast(self.at(pointer, index), self.row.as_pointer())
        self.build.store(vector, place, align=4)

    def fill(self, pointer: Value, index: Value | int = 0) -> Value:
        """Load one number into all lanes."""
        nothing = ir.Constant(self.row, ir.Undefined)
        one = self.build.insert_element(
            nothing, self.build.load(self.at(pointer, index)), self.int32(0)
        )
        zeros = ir.Constant(ir.VectorType(self.int32, self.lanes), [0] * self.lanes)
        return self.build.shuffle_vector(one, nothing, zeros)

    def gather(self, pointers: Sequence[Value]) -> Value:
        """Load a vector in equal pieces, each from its place."""
        width = self.lanes // len(pointers)
        piece = ir.VectorType(self.real, width)
        parts = [
            self.build.load(self.build.bitcast(pointer, piece.as_pointer()), align=4)
            for pointer in pointers
        ]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts, width = [self._joined(*pair, 2 * width) for pair in pairs], 2 * width
        return parts[0]

    def add(self, one: Value, other: Value) -> Value:
        """Add two vectors."""
        return self.build.fadd(one, other)

    def sub(self, one: Value, other: Value) -> Value:
        """Subtract a vector."""
        return self.build.fsub(one, other)

    def multiply_add(self, total: Value | None, one: Value, other: Value) -> Value:
        """Give ``total + one * other``, rounded once; None is zero."""
        if total is None:
            return self.build.fmul(one, other)
        product = self.build.fmul(one, other, flags=_FUSED)
        return self.build.fadd(total, product, flags=_FUSED)

    def loop(self, count: Value | int, step: int = 1) -> Any:
        """Loop over 0, step, … below ``count``: a context that gives (index, loop)."""
        stop = self.index(count) if isinstance(count, int) else count
        return cgutils.for_range_slice(self.build, self.index(0), stop, self.index(step), inc=True)

    def registers(self, count: int) -> list[Value]:
        """Give places of vectors, zero at first, that LLVM turns into registers."""
        return [cgutils.alloca_once_value(self.build, self.zero) for _ in range(count)]

    def _joined(self, one: Value, other: Value, width: int) -> Value:
        order = ir.Constant(ir.VectorType(self.int32, width), list(range(width)))
        return self.build.shuffle_vector(one, other, order)
