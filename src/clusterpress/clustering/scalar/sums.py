"""Sums that compiled loops share."""

from numba import njit

from clusterpress.clustering.clusters import Floats


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def sum_of_squares(numbers: Floats, weights: Floats) -> float:
    """Give the weighted sum of squares; no weights stand for ones.

    Loops over places, not over the array itself: only so do they run on whole vectors.
    """
    total = 0.0
    if weights.size == 0:
        for i in range(numbers.size):
            total += numbers[i] * numbers[i]
        return total
    for i in range(numbers.size):
        total += weights[i] * numbers[i] * numbers[i]
    return total
