"""Floats and integers of plain tensors as raw little-endian bytes, bit for bit."""

from typing import Any

import numpy as np
import numpy.typing as npt

# What a tensor may hold, by numpy's own short names. bfloat16 is not a numpy type.
DTYPES = ("f4", "f2", "f8", "i8", "i4", "i2", "i1", "u1", "b1")


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Give the short name under which the directory records a dtype.

    Raises:
        ValueError: The dtype is not one that an artifact can hold.
    """
    name = f"{dtype.kind}{dtype.itemsize}"
    if name not in DTYPES:
        raise ValueError(f"dtype {dtype} is not one of {', '.join(DTYPES)}")
    return name


def item_bytes(name: str) -> int:
    """Give the bytes of one value of the dtype ``name``."""
    return np.dtype(name).itemsize


def check_finite(values: npt.NDArray[Any]) -> None:
    """Check what many weights are made of: one NaN among a codebook spoils them all.

    Raises:
        ValueError: A value is NaN or infinite.
    """
    wrong = values[~np.isfinite(values)]
    if wrong.size:
        raise ValueError(
            f"values that are not finite ({wrong.size} of {values.size}, as {wrong[0]})"
        )


def encode_raw(values: npt.NDArray[Any]) -> bytes:
    """Give the values' bytes, little-endian, in row-major order."""
    dtype = np.dtype(dtype_name(values.dtype)).newbyteorder("<")
    return np.ascontiguousarray(values).astype(dtype, copy=False).tobytes()


def decode_raw(data: bytes, count: int, name: str) -> npt.NDArray[Any]:
    """Give the values back as a fresh, writable, flat array in the machine's byte order.

    Raises:
        ValueError: The number of bytes does not fit ``count``, or a bool is neither 0 nor 1.
    """
    dtype = np.dtype(name)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes for {count} values of {dtype.itemsize} bytes")
    if name == "b1" and max(data, default=0) > 1:
        raise ValueError("a bool is stored as neither 0 nor 1")
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
