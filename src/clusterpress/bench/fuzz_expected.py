"""The dense weight that a code's streams stand for, once more and in numpy alone.

Written from what the codes' docstrings say, not from their code, so that a reader which rebuilds
something else is found out.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.codes.hashed import hashes

Array = npt.NDArray[Any]
Streams = Mapping[str, Array]


def expected(kind: str, shape: tuple[int, ...], streams: Streams) -> Array:
    """Give the dense tensor of a kind of code.

    Args:
        kind: Name of the code; others than coded ones hold one stream of their values.
        shape: Shape of the tensor.
        streams: Values by part; a shared codebook is among them.
    """
    if kind not in _KINDS:
        (values,) = streams.values()
        return values.reshape(shape)
    with np.errstate(over="ignore"):  # Finite codebooks and scales may still multiply to infinity.
        return np.asarray(_KINDS[kind](shape, streams)).reshape(shape)


def _scattered(mask: Array, values: Array) -> Array:
    dense = np.zeros(mask.size, values.dtype)
    dense[np.flatnonzero(mask)] = values
    return dense


def _masked(_: tuple[int, ...], streams: Streams) -> Array:
    return _scattered(streams["position"], streams["dense"])


def _shared(_: tuple[int, ...], streams: Streams) -> Array:
    values = streams["codebook"].astype(np.float32)[streams["index"]]
    return _scattered(streams["position"], values) if "position" in streams else values


def _ternary(_: tuple[int, ...], streams: Streams) -> Array:
    positive, negative = streams["scale"]
    return np.array([-negative, 0, positive], np.float32)[streams["index"]]


def _binary(shape: tuple[int, ...], streams: Streams) -> Array:
    signs: Array = 2 * streams["index"].astype(np.float32).reshape(shape[0], -1) - 1
    dense: Array = signs * streams["scale"][:, None]
    return dense


def _quantized(shape: tuple[int, ...], streams: Streams) -> Array:
    last, affine = (int(symbol) for symbol in streams["transform"])
    rows = streams["index"].astype(np.float32).reshape(shape[0], -1)
    settings = streams["scale"].reshape(1 + affine, -1, 1)
    dense: Array = settings[0] * (rows - (settings[1] if affine else np.float32(last / 2)))
    return dense


def _product(shape: tuple[int, ...], streams: Streams) -> Array:
    index, parts = streams["index"].astype(np.int64), int(streams["transform"][0]) + 1
    books = streams["codebook"].reshape(parts, -1, prod(shape) // index.size)
    dense: Array = books[np.arange(index.size) % parts, index]
    return dense


def _hashed(shape: tuple[int, ...], streams: Streams) -> Array:
    bits = hashes(prod(shape), int(streams["transform"][0]))
    values: Array = streams["codebook"][
        (bits // np.uint64(2)) % np.uint64(streams["codebook"].size)
    ]
    return np.where(bits % np.uint64(2) == 1, -values, values)


def _kernels(shape: tuple[int, ...], streams: Streams) -> Array:
    codebook = streams["codebook"].astype(np.float32).reshape(-1, *shape[2:])
    kernels = codebook[streams["index"]]
    if "transform" in streams:
        pairs = zip(kernels, streams["transform"].tolist(), strict=True)
        kernels = np.array([_turned(kernel, turn) for kernel, turn in pairs], np.float32)
    if "scale" in streams:
        kernels = kernels * streams["scale"].astype(np.float32)[:, None, None]
    return kernels


def _turned(kernel: Array, turn: int) -> Array:
    """Rotate a kernel by 90 degrees, then flip it horizontally and vertically, as the bits say."""
    rotated = np.rot90(kernel) if turn & 4 else kernel
    flipped = rotated[:, ::-1] if turn & 1 else rotated
    return flipped[::-1] if turn & 2 else flipped


_KINDS = {
    "masked": _masked,
    "shared": _shared,
    "ternary": _ternary,
    "binary": _binary,
    "quantized": _quantized,
    "product": _product,
    "hashed": _hashed,
    "kernels": _kernels,
}
