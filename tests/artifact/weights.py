"""Weights from the parts of a file, made from the section *Weights* of docs/format.md alone."""

from typing import Any

import numpy as np

WORD = (1 << 64) - 1
Parts = dict[str, list[Any]]


def weight(kind: str, shape: list[int], parts: Parts) -> np.ndarray:
    values: dict[str, np.ndarray] = {
        part: np.array(found, np.int64 if part in ("index", "position", "transform") else "f4")
        for part, found in parts.items()
    }
    made: np.ndarray = MADE[kind](tuple(shape), **values)
    return made.reshape(shape)


def masked(shape, position, dense):
    made = np.zeros(position.size, "f4")
    made[position == 1] = dense
    return made


def shared(shape, codebook, index, position=None):
    return codebook[index] if position is None else masked(shape, position, codebook[index])


def kernels(shape, codebook, index, transform=None, scale=None):
    made = codebook.reshape(-1, *shape[2:])[index]
    for i, t in enumerate(np.zeros_like(index) if transform is None else transform):
        kernel = np.rot90(made[i]) if t >= 4 else made[i]
        made[i] = (kernel, kernel[:, ::-1], kernel[::-1], kernel[::-1, ::-1])[t % 4].copy()
    return made if scale is None else made * scale[:, None, None]


def quantized(shape, index, scale, transform):
    last, zeros = transform
    groups = scale.size // (1 + zeros)
    zero = scale[groups:] if zeros else np.full(groups, last / 2, "f4")
    index = index.reshape(groups, -1).astype("f4")
    return scale[:groups, None] * (index - zero[:, None])


def binary(shape, index, scale):
    return (2 * index - 1).reshape(shape[0], -1).astype("f4") * scale[:, None]


def ternary(shape, index, scale):
    return np.array([-scale[1], 0, scale[0]], "f4")[index]


def product(shape, codebook, index, transform):
    (parts,) = transform + 1
    width = int(np.prod(shape)) // index.size
    books = codebook.reshape(parts, -1, width)
    return books[np.arange(index.size) % parts, index]


def hashed(shape, codebook, transform):
    made, start = [], mix(int(transform[0]) << 40)
    for i in range(int(np.prod(shape))):
        x = mix(start + (i + 1) * 0x9E3779B97F4A7C15)
        value = codebook[(x >> 1) % codebook.size]
        made.append(-value if x & 1 else value)
    return np.array(made, "f4")


def mix(z: int) -> int:
    z &= WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


MADE = {
    "masked": masked,
    "shared": shared,
    "kernels": kernels,
    "quantized": quantized,
    "binary": binary,
    "ternary": ternary,
    "product": product,
    "hashed": hashed,
}
