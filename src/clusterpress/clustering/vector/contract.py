"""What k-means asks of the vectors that it clusters, wherever and however they are kept."""

from typing import Any, Protocol

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.vector.rows import Units

Names = Any  # Of candidates, one for every vector: an int32 array or tensor, shape (n,).


class Field(Protocol):
    """The vectors' distances to the nearest of the seeds chosen so far."""

    def draw(self, uniforms: Floats) -> Ints:
        """Draw places of vectors, each as likely as its weighted squared distance is large.

        Before the first seed, the weights alone count.
        """

    def potentials(self, candidates: Floats) -> Floats:
        """Give the error that would remain after each of L candidates.

        Args:
            candidates: All transforms of each of the vectors drawn last, shape (L, T, d).

        Returns:
            Weighted sum of squared distances to the nearest seed, shape (L,).
        """

    def take(self, choice: int) -> None:
        """Make one of the latest candidates a seed."""


class Vectors(Protocol):
    """n weighted vectors; numbers in and out are on the host, in float64 and in normal units."""

    @property
    def weights(self) -> Floats:
        """Weight of every vector, shape (n,)."""

    @property
    def units(self) -> Units:
        """The normal units."""

    def __len__(self) -> int:
        """Number of vectors."""

    def at(self, places: Ints) -> Floats:
        """Give some of the vectors, shape (len(places), d)."""

    def nearest(self, candidates: Floats) -> Names:
        """Name the nearest of m candidates for every vector; ties go to the lowest name."""

    def totals(self, names: Names, count: int) -> Floats:
        """Give the weighted sum of the vectors of every name, and their weight: (count, d + 1)."""

    def distances(self, names: Names, candidates: Floats) -> Floats:
        """Give every vector's squared distance to the candidate of its name, by differences."""

    def error(self, names: Names, candidates: Floats) -> float:
        """Give the weighted sum of the squared distances, in the units of the vectors."""

    def named(self, names: Ints) -> Names:
        """Bring names from the host to where the vectors are."""

    def field(self) -> Field:
        """Begin a seeding."""
