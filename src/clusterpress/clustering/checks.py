"""The checks that every clusterer shares."""

from collections.abc import Collection
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.threads import cut, on_threads
from clusterpress.errors import ConfigError, DataError

_CHUNK = 2**17  # Numbers that stay in the cache between their minimum and their maximum.
_PIECE = 2**22  # Numbers that are worth a thread.
_PIECES = 16


def finite(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    """Give ``values`` as a real array of any shape.

    Float32 and float64 stay as they are, float16 becomes float32, everything else float64.

    Args:
        values: Numbers.
        what: Name of the values, to begin the message with.

    Raises:
        DataError: They are not real numbers, or one of them is not finite.
    """
    return finite_between(values, what)[0]


def finite_between(values: npt.ArrayLike, what: str) -> tuple[npt.NDArray[Any], float, float]:
    """Give ``values`` as ``finite`` does, and the least and the largest of them (0, 0 of none)."""
    array = np.asarray(values)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype not in (np.float32, np.float64):
        array = _as_float64(array, what)
    low, high = _extremes(array)
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = ~np.isfinite(array)
        where = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"{what.capitalize()} must be finite, but {int(bad.sum())} of {array.size} are not; "
            f"the first, at flat index {where}, is {array.flat[where]}."
        )
    return array, low, high


def _extremes(array: npt.NDArray[Any]) -> tuple[float, float]:
    """Give the least and the largest number, or nan where one is; reads the memory once."""
    if array.size == 0:
        return 0.0, 0.0
    flat = array.ravel() if array.flags.c_contiguous else np.atleast_1d(array)
    parts = cut(len(flat), _PIECE, _PIECES)

    def extremes(piece: int) -> list[tuple[Any, Any]]:
        part = flat[parts[piece]]
        chunks = (part[start : start + _CHUNK] for start in range(0, len(part), _CHUNK))
        return [(chunk.min(), chunk.max()) for chunk in chunks]

    least, largest = zip(*chain.from_iterable(on_threads(extremes, len(parts))), strict=True)
    return float(np.min(least)), float(np.max(largest))


def _as_float64(array: npt.NDArray[Any], what: str) -> npt.NDArray[np.float64]:
    if array.dtype.kind in "cUS":
        raise DataError(f"{what.capitalize()} must be real, but their dtype is {array.dtype}.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{what.capitalize()} must be real numbers, but their dtype is {array.dtype}."
        ) from error


def finite_rows(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give ``points`` as finite float64 rows, shape (n, d).

    Raises:
        DataError: They are not real numbers of shape (n, d), or one of them is not finite.
    """
    array = finite(points, "points to cluster")
    if array.ndim != 2:
        raise DataError(
            f"Points to cluster must have the shape (n, d), but theirs is {array.shape}."
        )
    return np.ascontiguousarray(array, dtype=np.float64)


def check_clusters(k: int, count: int) -> None:
    """Refuse a number of clusters outside ``[1, count]``.

    Raises:
        ConfigError: ``k`` is below 1 or above ``count``.
    """
    if not isinstance(k, int | np.integer):
        raise ConfigError(f"The number of clusters must be a whole number, but it is {k!r}.")
    if k < 1:
        raise ConfigError(f"The number of clusters must be at least 1, but it is {k}.")
    if k > count:
        raise ConfigError(
            f"{k} clusters were asked of {count} values or points; ask for at most {count}."
        )


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Refuse a ``value`` that is not among ``choices``.

    Raises:
        ConfigError: The value is not known.
    """
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")


def positive_weights(weights: npt.ArrayLike, size: int) -> npt.NDArray[np.float64]:
    """Give the weights of ``size`` values or points as float64, shape (size,).

    Raises:
        DataError: There are more or fewer of them, or one is not positive and finite.
    """
    checked = finite(weights, "weights of the values to cluster").ravel().astype(np.float64)
    if checked.size != size:
        raise DataError(f"{checked.size} weights were given for {size} values; give one per value.")
    if not np.isfinite(checked.sum()):
        raise DataError("Weights of the values to cluster must have a finite sum; scale them.")
    if not (checked > 0).all():
        raise DataError(
            f"Weights of the values to cluster must be positive, but the smallest is "
            f"{checked.min()}; leave out the values that should not count."
        )
    return checked


def check_tolerance(tolerance: float) -> None:
    """Refuse a relative tolerance outside ``[0, 1)``.

    Raises:
        ConfigError: It is.
    """
    if not 0.0 <= tolerance < 1.0:
        raise ConfigError(f"tolerance must be in [0, 1), but it is {tolerance}.")


def check_not_negative(name: str, value: float) -> None:
    """Refuse a negative or infinite number.

    Raises:
        ConfigError: It is.
    """
    if not 0.0 <= value < float("inf"):
        raise ConfigError(f"{name} must be a number from 0 on, but it is {value}.")
