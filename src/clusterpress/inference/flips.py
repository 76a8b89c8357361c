"""Kernels that are flips of each other, which share multiplications when convolved together.

Of a 3x3 kernel, four parts are even or odd under the horizontal and the vertical flip; a flip only
negates some of them. So the four flips of a kernel take the 9 multiplications of one, and 8
additions. Rotated kernels (TIC-8 of Son et al. 2018, section 3.3) are two such families.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

FLIPS = 4  # None, horizontal, vertical, both.
_GRID = 1e3  # Steps of a tap that tell families apart; what they hold is compared exactly.
_CLOSE = 1e-6  # Of the largest tap.


@dataclass(frozen=True)
class Families:
    """Which kernel is which flip of which other one.

    Attributes:
        family: Number of every kernel's family, int64, shape (P,).
        flip: Which flip of the family's first kernel it is, int64, shape (P,).
        sign: 1, or -1 where it is that flip's negative, float32, shape (P,).
        first: The first kernel of every family.
    """

    family: Ints
    flip: Ints
    sign: Floats
    first: Ints


def families(kernels: Floats) -> Families:
    """Find the families of kernels of unit norm, shape (P, h, w).

    A kernel that is close to a family's flip, but not equal to rounding, gets its own family.
    """
    count = len(kernels)
    turned = flipped(kernels).reshape(count, FLIPS, -1)
    both = np.concatenate([turned, -turned], axis=1)
    steps = np.rint(both * _GRID).astype(np.int64)
    best = np.array([max(range(2 * FLIPS), key=lambda n: tuple(each[n])) for each in steps])
    normal = steps[np.arange(count), best]
    _, first, family = np.unique(normal, axis=0, return_index=True, return_inverse=True)
    family = family.ravel()
    distance = np.abs(both - turned[first[family], 0][:, None]).max(axis=2)
    nearest = distance.argmin(axis=1)
    alone = distance.min(axis=1) > _CLOSE * np.abs(kernels).max(initial=0)
    family, flip = np.where(alone, len(first) + np.arange(count), family), nearest % FLIPS
    sign = np.where(alone | (nearest < FLIPS), 1, -1).astype(np.float32)
    used, index = np.unique(family, return_inverse=True)
    firsts = np.concatenate([first, np.arange(count)])[used]
    return Families(index.ravel(), np.where(alone, 0, flip), sign, firsts)


def flipped(kernels: Floats) -> Floats:
    """Give the four flips of kernels (P, h, w), shape (P, 4, h, w)."""
    sideways = kernels[:, :, ::-1]
    return np.stack([kernels, sideways, kernels[:, ::-1], sideways[:, ::-1]], axis=1)


def even_and_odd_taps(kernels: Floats) -> Floats:
    """Give what the parts of the patches are multiplied by, for 3x3 kernels; shape (P, 9)."""
    rows = kernels.reshape(len(kernels), 9).astype(np.float64)
    return (rows @ np.linalg.inv(parts())).astype(np.float32)


def parts() -> npt.NDArray[np.float64]:
    """Give the parts of a 3x3 patch as sums of its taps, shape (9, 9).

    Four are even, two are odd under the vertical flip, two under the horizontal one, one under
    both.
    """
    whole, middle, odd = np.array([1.0, 0, 1]), np.array([0.0, 1, 0]), np.array([1.0, 0, -1])
    down = [whole, middle, whole, middle, odd, odd, whole, middle, odd]
    right = [whole, whole, middle, middle, whole, middle, odd, odd, odd]
    return np.stack([np.outer(a, b).ravel() for a, b in zip(down, right, strict=True)])
