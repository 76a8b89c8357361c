"""The checks that every clusterer shares."""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.errors import ConfigError, DataError


def finite(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    """Give ``values`` as a real array of any shape.

    Float32 and float64 stay as they are; everything else becomes float64.

    Args:
        values: Numbers.
        what: Name of the values, to begin the message with.

    Raises:
        DataError: They are not real numbers, or one of them is not finite.
    """
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.float64):
        array = _as_float64(array, what)
    bad = ~np.isfinite(array)
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"{what.capitalize()} must be finite, but {int(bad.sum())} of {array.size} are not; "
            f"the first, at flat index {where}, is {array.flat[where]}."
        )
    return array


def _as_float64(array: npt.NDArray[Any], what: str) -> npt.NDArray[np.float64]:
    if array.dtype.kind == "c":
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
