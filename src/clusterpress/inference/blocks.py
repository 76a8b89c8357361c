"""Tables for "convolve, then add": which kernels every input needs, and what the outputs add.

Inputs are taken in blocks, so that their convolved rows stay in the cache that is nearest to the
processor while every output adds those that it needs.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterpress.inference.flips import FLIPS, Families, even_and_odd_taps, families
from clusterpress.inference.routines import QUAD

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
_NEAR = 14_000  # Bytes of a block's rows; sums and tables need the other half of 32 KiB too.
_LEAST = 8  # Inputs of a block: outputs are read and written once a block.


@dataclass(frozen=True)
class Needed:
    """The kernels that one input channel is convolved with.

    Attributes:
        flipped: Taps of the families of which several flips are needed, shape (n, 9).
        plain: Taps of the others, shape (m, taps).
        keys: Of every row that comes out its ``4 * family + flip``, -1 where it is not needed.
    """

    flipped: Floats
    plain: Floats
    keys: Ints

    @classmethod
    def of(cls, used: Ints, parts: Floats, kernels: Floats, names: dict[int, int]) -> "Needed":
        """Choose the form of each used key ``4 * family + flip``."""
        found, counts = np.unique(used // FLIPS, return_counts=True)
        several = found[counts > 1] if len(parts) else found[:0]
        alone = used[~np.isin(used // FLIPS, several)]
        missing = -len(alone) % QUAD
        flips = (several[:, None] * FLIPS + np.arange(FLIPS)).ravel()
        keys = np.concatenate([flips, alone, np.full(missing, -1)])
        numbers = np.array([names[key] for key in alone.tolist()], np.int64)
        chosen = kernels[numbers].reshape(len(alone), kernels[0].size)
        plain = np.concatenate([chosen, np.zeros((missing, kernels[0].size), np.float32)])
        return cls(parts[several] if len(parts) else parts, plain, keys)

    def taps(self) -> Floats:
        """Give the taps as the routines read them."""
        quads = self.plain.reshape(-1, QUAD, self.plain.shape[1]).transpose(0, 2, 1)
        return np.concatenate([self.flipped.ravel(), quads.ravel()])


@dataclass(frozen=True)
class Blocks:
    """The tables.

    Attributes:
        bounds: The first input of every block, and the number of inputs.
        inputs: int64, shape (I, 4): how many flipped and plain quads an input has, its first slot
            in the block, its first number in ``taps``.
        taps: float32.
        terms: int64, shape (blocks,): the first term of every block.
        counts: int32, shape (blocks, O): terms of every output.
        slots: uint16: of every term.
        weights: float32: of every term.
        slots_of_a_block: At most.
    """

    bounds: Ints
    inputs: Ints
    taps: Floats
    terms: Ints
    counts: npt.NDArray[np.int32]
    slots: npt.NDArray[np.uint16]
    weights: Floats
    slots_of_a_block: int


def blocks(kernels: Floats, labels: Ints, scales: Floats, row_bytes: int) -> Blocks:
    """Make the tables for rows of so many bytes; arrays as of ``SharedKernels``."""
    square = kernels.shape[1:] == (3, 3)
    found = families(kernels) if square else _alone(len(kernels))
    keys = (found.family * FLIPS + found.flip)[labels]
    weights, kept = scales * found.sign[labels], scales != 0
    parts = even_and_odd_taps(kernels[found.first]) if square else np.zeros((0, 9), np.float32)
    # A family's kernel may be the negative of its first: its taps are those of the flip.
    signed = kernels * found.sign[:, None, None]
    names = {int(k): n for n, k in enumerate(found.family * FLIPS + found.flip)}
    needed = [
        Needed.of(np.unique(keys[kept[:, i], i]), parts, signed, names)
        for i in range(labels.shape[1])
    ]
    sizes = np.array([len(each.keys) for each in needed])
    bounds = _cut(sizes, row_bytes)
    slots = np.zeros(labels.shape, np.int64)
    table = np.zeros((len(needed), 4), np.int64)
    numbers = [each.taps() for each in needed]
    starts = np.cumsum([0, *map(len, numbers)])
    for begin, end in itertools.pairwise(bounds):
        first = 0
        for i in range(begin, end):
            each = needed[i]
            order = np.argsort(each.keys)
            places = order[np.searchsorted(each.keys[order], keys[kept[:, i], i])]
            slots[kept[:, i], i] = first + places
            table[i] = len(each.flipped), len(each.plain) // QUAD, first, starts[i]
            first += len(each.keys)
    return _with_terms(bounds, table, np.concatenate(numbers), (slots, weights, kept))


def _with_terms(
    bounds: Ints,
    table: Ints,
    taps: Floats,
    form: tuple[Ints, Floats, npt.NDArray[np.bool_]],
) -> Blocks:
    slots, weights, kept = form
    spans = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    counts = np.stack([kept[:, span].sum(axis=1) for span in spans])
    return Blocks(
        bounds,
        table,
        np.concatenate([taps, np.zeros(1, np.float32)]).astype(np.float32),
        np.concatenate([[0], np.cumsum(counts.sum(axis=1))]).astype(np.int64),
        counts.astype(np.int32),
        np.concatenate([slots[:, s][kept[:, s]] for s in spans]).astype(np.uint16),
        np.concatenate([weights[:, s][kept[:, s]] for s in spans]).astype(np.float32),
        int(max(table[s, :2].sum() for s in spans)) * QUAD,
    )


def _cut(sizes: Ints, row_bytes: int) -> Ints:
    """Give the bounds of blocks whose rows are near, or of a few inputs at least."""
    mean = max(float(sizes.mean()), 1.0) * row_bytes
    inputs = min(max(int(_NEAR / mean), _LEAST), len(sizes), max(1, 65_535 // int(sizes.max() + 1)))
    count = -(-len(sizes) // inputs)
    return np.arange(count + 1, dtype=np.int64) * len(sizes) // count


def _alone(count: int) -> Families:
    each = np.arange(count)
    return Families(each, np.zeros(count, np.int64), np.ones(count, np.float32), each)
