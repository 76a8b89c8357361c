"""How many centroids each layer gets out of one budget of bits."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

CODEBOOK_BITS = 32
_HALVINGS = 60
_LEAST = 1e-18  # Of the highest price.

Curve = npt.NDArray[np.float64]


def layer_bits(weights: int, k_max: int) -> Curve:
    """Give the bits of a layer at 1 … k_max centroids: log2 K a weight and 32 a centroid."""
    centroids = np.arange(1, k_max + 1)
    bits: Curve = weights * np.log2(centroids) + CODEBOOK_BITS * centroids
    return bits


def allocate(
    curves: Mapping[str, Curve], bits: Mapping[str, Curve], budget: float
) -> dict[str, int]:
    """Give every layer the K with which all together err least within ``budget`` bits.

    One price for a bit is the same for all layers (Lagrange; Shoham and Gersho 1988, "Efficient
    bit allocation for an arbitrary set of quantizers"); the lowest price that keeps the budget is
    found by halving. Choices between two prices are not tried, so a little may be left over.

    Args:
        curves: Squared error of each layer at 1, 2, … centroids.
        bits: Bits of each layer at the same numbers of centroids, rising.
        budget: Bits of all layers together.

    Returns:
        K of each layer; 1 for all where the budget is less than that takes.
    """

    def at(price: float) -> dict[str, int]:
        return {name: int(np.argmin(curves[name] + price * bits[name])) for name in curves}

    def total(chosen: Mapping[str, int]) -> float:
        return float(sum(bits[name][place] for name, place in chosen.items()))

    if total(at(0.0)) <= budget:
        best = at(0.0)
    else:
        # At this price one bit costs more than any layer can err, so every layer gets one centroid.
        high = max(float(curve[0]) for curve in curves.values()) or 1.0
        low, best = high * _LEAST, dict.fromkeys(curves, 0)
        for _ in range(_HALVINGS):
            price = float(np.sqrt(low * high))
            if total(at(price)) <= budget:
                high, best = price, at(price)
            else:
                low = price
    return {name: place + 1 for name, place in best.items()}
