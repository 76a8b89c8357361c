"""Split a set of labels in two by a fixed rule that no seed changes."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from clusterpress.data.images import Images
from clusterpress.errors import ConfigError

Index = npt.NDArray[np.int64]
Kind = TypeVar("Kind", bound=Images)


def stratified(labels: torch.Tensor, size: int) -> tuple[Index, Index]:
    """Choose ``size`` of the labels, every class in proportion, evenly spaced in file order.

    The rule has no randomness: class c with n_c of N labels gives ``size * n_c / N`` of them
    (rounded so that the sum is ``size``, largest remainder first), and of the n_c places in file
    order the middles of equal steps are taken.

    Args:
        labels: Classes, integer, shape (N,).
        size: How many to choose.

    Returns:
        The places that are left and the places that are chosen, both ascending.

    Raises:
        ConfigError: ``size`` is negative or leaves a class without a label.
    """
    classes, counts = np.unique(labels.numpy(), return_counts=True)
    if not 0 <= size <= len(labels) - len(classes):
        raise ConfigError(
            f"A split of {size} images cannot be taken from {len(labels)} images of "
            f"{len(classes)} classes; it must be in [0, {len(labels) - len(classes)}]."
        )
    chosen = np.zeros(len(labels), dtype=bool)
    for label, count, quota in zip(classes, counts, _quotas(counts, size), strict=True):
        places = np.flatnonzero(labels.numpy() == label)
        chosen[places[(2 * np.arange(quota) + 1) * count // (2 * max(quota, 1))]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def hold_out(split: Kind, size: int) -> tuple[Kind, Kind]:
    """Give ``split`` without ``size`` stratified images, and these images."""
    rest, chosen = stratified(split.labels, size)
    return split.take(rest), split.take(chosen)


def _quotas(counts: Index, size: int) -> Index:
    shares = counts * size
    quotas: Index = shares // counts.sum()
    remainders = shares % counts.sum()
    largest = np.argsort(-remainders, kind="stable")[: size - int(quotas.sum())]
    quotas[largest] += 1
    return quotas
