"""Floats and integers of plain tensors as raw little-endian bytes, bit for bit."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

# What a tensor may hold, by numpy's own short names.
DTYPES = ("f4", "f2", "f8", "i8", "i4", "i2", "i1", "u1", "b1", "bf2")
# numpy has no bfloat16: its bits stand there as unsigned numbers, which no tensor of ours is.
_NUMPY = {"bf2": "u2"}


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Give the short name under which the directory records a dtype.

    Raises:
        ValueError: The dtype is not one that an artifact can hold.
    """
    name = f"{dtype.kind}{dtype.itemsize}"
    name = next((known for known, bits in _NUMPY.items() if bits == name), name)
    if name not in DTYPES:
        raise ValueError(f"the dtype {dtype}, none of {', '.join(DTYPES)}")
    return name


def item_bytes(name: str) -> int:
    """Give the bytes of one value of the dtype ``name``."""
    return numpy_dtype(name).itemsize


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Give numpy's dtype of what is stored as ``name``."""
    return np.dtype(_NUMPY.get(name, name))


def is_float(name: str) -> bool:
    """Whether ``name`` is a dtype of floats."""
    return name.startswith("f") or name in _NUMPY


def to_numpy(tensor: torch.Tensor) -> npt.NDArray[Any]:
    """Give a tensor's values as a flat array; of bfloat16 the bits, uint16.

    Raises:
        TypeError: numpy has no such dtype, or an artifact would take it for bfloat16.
    """
    flat = tensor.detach().cpu().flatten()
    if flat.dtype == torch.uint16:
        raise TypeError("an artifact does not hold unsigned numbers of two bytes")
    values = flat.view(torch.int16) if flat.dtype == torch.bfloat16 else flat
    array: npt.NDArray[Any] = values.numpy()
    return array.view(np.uint16) if flat.dtype == torch.bfloat16 else array


def to_tensor(values: npt.NDArray[Any]) -> torch.Tensor:
    """Give back the tensor of ``to_numpy``, flat, in the same memory."""
    if values.dtype != np.uint16:
        return torch.from_numpy(values)
    return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)


def torch_dtype(name: str) -> torch.dtype:
    """Give torch's dtype of what is stored as ``name``."""
    return to_tensor(np.empty(0, numpy_dtype(name))).dtype


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
    dtype = numpy_dtype(dtype_name(values.dtype)).newbyteorder("<")
    return np.ascontiguousarray(values).astype(dtype, copy=False).tobytes()


def decode_raw(data: bytes, count: int, name: str) -> npt.NDArray[Any]:
    """Give the values back as a fresh, writable, flat array in the machine's byte order.

    Raises:
        ValueError: The number of bytes does not fit ``count``, or a bool is neither 0 nor 1.
    """
    dtype = numpy_dtype(name)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes for {count} values of {dtype.itemsize} bytes")
    if name == "b1" and max(data, default=0) > 1:
        raise ValueError("a bool is stored as neither 0 nor 1")
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
