"""The options that every k-means on vectors shares."""

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.checks import check_choice, finite, positive_weights
from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.tensors import host
from clusterpress.clustering.vector.seeds import SEEDINGS
from clusterpress.errors import ConfigError, DataError


class Options(TypedDict, total=False):
    """Options of k-means on vectors.

    Attributes:
        init: ``kmeans++``, the default: greedy, the best of 2 + ln k draws at every step (Arthur
            and Vassilvitskii 2007); ``random``: k different vectors (Forgy); or the first centres
            themselves, of the centres' shape.
        restarts: Number of starts, of which the best counts; 1 by default. Given centres are
            started from once.
        max_iterations: Most iterations of a start, 300 by default.
        weights: Positive weight of every vector, shape (n,); one of weight 3 counts like 3 equal
            vectors, also in the draws.
    """

    init: str | npt.ArrayLike
    restarts: int
    max_iterations: int
    weights: npt.ArrayLike | None


@dataclass(frozen=True)
class Settings:
    """Checked ``Options``, on the host."""

    init: Any = "kmeans++"
    restarts: int = 1
    max_iterations: int = 300
    weights: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.init, str):
            check_choice("init", self.init, SEEDINGS)
        for name in ("restarts", "max_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, but it is {getattr(self, name)}.")

    def weights_of(self, count: int) -> Floats:
        """Give the weight of each of ``count`` vectors."""
        return np.ones(count) if self.weights is None else positive_weights(self.weights, count)

    def first_centers(self, k: int, width: int) -> Floats | None:
        """Give the given first centers, shape (k, d); None where a seeding is to draw them."""
        if isinstance(self.init, str):
            return None
        centers = finite(self.init, "first centres").astype(np.float64)
        flat = centers.reshape(len(centers), -1) if centers.ndim else centers
        if flat.shape != (k, width):
            raise DataError(
                f"{k} first centres of {width} numbers are needed, but the shape of those given "
                f"is {centers.shape}."
            )
        return flat


def settings(options: Options) -> Settings:
    """Check options; tensors among them become arrays."""
    return Settings(**{name: host(value) for name, value in options.items()})
