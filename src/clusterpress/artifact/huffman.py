"""Bits that a Huffman code and an ideal entropy coder would need for symbols of given counts."""

import heapq
from collections.abc import Iterable
from math import log2


def huffman_bits(counts: Iterable[int]) -> int:
    """Count the bits of all symbols under an optimal prefix code, without its table.

    A message of one distinct symbol needs no bits: its count alone says it all.

    Args:
        counts: How often each symbol occurs; zeros are ignored.

    Returns:
        The total length in bits: the sum of the weights of the tree's inner nodes.
    """
    heap = [count for count in counts if count > 0]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return total


def entropy_bits(counts: Iterable[int]) -> float:
    """Give the empirical entropy of all symbols together, in bits."""
    present = [count for count in counts if count > 0]
    total = sum(present)
    return sum(count * log2(total / count) for count in present)


def fixed_width(alphabet: int) -> int:
    """Give the bits that one symbol of an alphabet needs at a fixed width; 0 for one symbol."""
    return max(0, alphabet - 1).bit_length()
