"""What is clustered: synthetic weights of fixed seeds, and layers of really trained networks."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

Array = npt.NDArray[Any]
VARIABLE = "CLUSTERPRESS_WEIGHTS"
_CHUNK = 2**20
_SCALE = 0.02  # Standard deviations of trained layers are about 0.01 to 0.05.


class MissingDataError(Exception):
    """There are no such data here; the message says why."""


def heavy_tailed(n: int, seed: int = 0) -> Array:
    """Draw Student's t with 5 degrees of freedom, scaled like weights, float32, shape (n,).

    Piece by piece: never more than a float64 chunk beyond the result.
    """
    rng = np.random.default_rng(seed)
    values = np.empty(n, np.float32)
    for start in range(0, n, _CHUNK):
        piece = values[start : start + _CHUNK]
        piece[:] = _SCALE * rng.standard_t(5, piece.size)
    return values


def kernels(n: int, seed: int = 0) -> Array:
    """Draw normalised 3x3 kernels: three common patterns and heavy-tailed noise, float32, (n, 9).

    Trained 3x3 kernels lie near few directions; scale and sign are taken out as Son et al. 2018
    do (``normalised``).
    """
    rng = np.random.default_rng(seed)
    patterns = rng.standard_normal((3, 9)).astype(np.float32)
    drawn = rng.standard_normal((n, 3), dtype=np.float32) @ patterns
    for start in range(0, n, _CHUNK):
        piece = drawn[start : start + _CHUNK]
        piece += 0.5 * rng.standard_t(5, piece.shape)
    return normalised(drawn)


def neurons(n: int, d: int, seed: int = 0) -> Array:
    """Draw features of neurons that come in groups of about eight, float32, shape (n, d)."""
    rng = np.random.default_rng(seed)
    groups = rng.standard_normal((max(1, n // 8), d), dtype=np.float32)
    points = rng.standard_normal((n, d), dtype=np.float32)
    points += groups[rng.integers(len(groups), size=n)]
    return points


def normalised(rows: Array) -> Array:
    """Divide every kernel by its norm and the sign of its centre; those of norm 0 are left out."""
    norms = np.linalg.norm(rows, axis=1)
    signs = np.where(rows[:, rows.shape[1] // 2] < 0, -norms, norms)
    return np.ascontiguousarray((rows[norms > 0] / signs[norms > 0, None]).astype(np.float32))


def trained(file: str) -> dict[str, Array]:
    """Read a state dict from the folder that ``CLUSTERPRESS_WEIGHTS`` names.

    Raises:
        MissingDataError: The variable is not set, or the file is not there.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise MissingDataError(f"{VARIABLE} is not set")
    path = Path(folder) / file
    if not path.is_file():
        raise MissingDataError(f"there is no {path}")
    return load_file(path)


def lenet5_linear() -> Array:
    """Give the weights of LeNet-5's first linear layer, shape (400000,)."""
    layers = [value for value in trained("lenet5_mnist.safetensors").values() if value.ndim == 2]
    return max(layers, key=lambda weight: weight.size).ravel()


def resnet56_convolutions() -> Array:
    """Give the weights of all of ResNet-56's convolutions as scalars."""
    return np.concatenate([weight.ravel() for weight in _convolutions()])


def resnet56_kernels() -> Array:
    """Give all of ResNet-56's 3x3 kernels, normalised, shape (n, 9)."""
    return normalised(np.concatenate([weight.reshape(-1, 9) for weight in _convolutions()]))


def _convolutions() -> list[Array]:
    state = trained("resnet56_cifar10.safetensors")
    return [weight for weight in state.values() if weight.shape[2:] == (3, 3)]
