"""Vectors with few distinct ones among them, found in one pass that stops at the first too many."""

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Ints
from clusterpress.clustering.vector.orbits import Orbit
from clusterpress.clustering.vector.rows import Reals


def distinct(rows: Reals, orbit: Orbit, k: int) -> tuple[Reals, Ints] | None:
    """Find the distinct vectors where there are no more than k, up to transforms.

    Time O(n T d) at most; where vectors hardly repeat, O(k T d).

    Returns:
        The vectors in lexicographic order, shape (m, d), each the first of its transforms in that
        order, and the name of every row's candidate: cluster c and transform t (the lowest)
        make c T + t, shape (n,). None where there are more than k.
    """
    slots = np.full(1 << (4 * k).bit_length(), -1)
    found = np.empty((k, rows.shape[1]), rows.dtype)
    labels = np.empty(len(rows), np.int64)
    bits = rows.view(f"u{rows.itemsize}")
    count = _gather(rows, bits, orbit.turns, slots, found, labels)
    if count > k:
        return None
    order = np.lexsort(found[:count].T[::-1])
    labels = np.argsort(order)[labels]
    return found[order], labels * orbit.size + _turns_of(rows, found[order], labels, orbit.turns)


@njit(cache=True, nogil=True)
def _gather(rows: Reals, bits: Reals, turns: Ints, slots: Ints, found: Reals, labels: Ints) -> int:
    """Fill ``found`` and ``labels`` by a hash table; give the number found, or one too many."""
    count = 0
    for i in range(len(rows)):
        turn = turns[_first_turn(rows[i], turns)]
        slot = _hash(rows[i], bits[i], turn) & (slots.size - 1)
        while slots[slot] >= 0 and not _same(found[slots[slot]], rows[i], turn):
            slot = (slot + 1) & (slots.size - 1)
        if slots[slot] < 0:
            if count == len(found):
                return count + 1
            slots[slot] = count
            for j in range(turn.size):
                found[count, j] = rows[i, turn[j]] + 0  # -0.0 becomes 0.0.
            count += 1
        labels[i] = slots[slot]
    return count


@njit(cache=True, nogil=True)
def _first_turn(row: Reals, turns: Ints) -> int:
    """Give the transform of ``row`` that comes first in lexicographic order."""
    first = 0
    for t in range(1, len(turns)):
        for j in range(row.size):
            one, other = row[turns[t, j]], row[turns[first, j]]
            if one != other:
                first = t if one < other else first
                break
    return first


@njit(cache=True, nogil=True)
def _hash(row: Reals, bits: Reals, turn: Ints) -> int:
    mixed = np.uint64(0)
    for j in turn:
        word = np.uint64(bits[j]) if row[j] != 0 else np.uint64(0)  # -0.0 equals 0.0.
        mixed = (mixed ^ word) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return int(mixed >> np.uint64(2))


@njit(cache=True, nogil=True)
def _same(one: Reals, row: Reals, turn: Ints) -> bool:
    same = True
    for j in range(turn.size):
        same = same and one[j] == row[turn[j]]
    return same


@njit(cache=True, nogil=True)
def _turns_of(rows: Reals, found: Reals, labels: Ints, turns: Ints) -> Ints:
    """Give the first transform that makes each row of what was found."""
    chosen = np.zeros(len(rows), np.int64)
    for i in range(len(rows)):
        while not _same(rows[i], found[labels[i]], turns[chosen[i]]):
            chosen[i] += 1
    return chosen
