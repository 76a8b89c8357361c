"""First centres for k-means on vectors."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.vector.contract import Vectors
from clusterpress.clustering.vector.orbits import Orbit

Seeding = Callable[[Vectors, Orbit, int, Generator], Floats]


def plus_plus(vectors: Vectors, orbit: Orbit, k: int, rng: Generator) -> Floats:
    """Draw by D^2 sampling, greedily: the best of 2 + ln k draws at every step.

    Arthur and Vassilvitskii 2007, also its greedy variant; a distance is that to the nearest
    transform. O(n k T log k) distances, and one pass over the vectors for every seed.
    """
    draws = rng.random((k, 2 + int(np.log(k))))
    field = vectors.field()
    seeds = []
    for step in range(k):
        drawn = vectors.at(field.draw(draws[step] if step else draws[0, :1]))
        choice = int(np.argmin(field.potentials(orbit.variants(drawn))))
        field.take(choice)
        seeds.append(drawn[choice])
    return np.stack(seeds)


def random(vectors: Vectors, _orbit: Orbit, k: int, rng: Generator) -> Floats:
    """Draw k different vectors (Forgy), each as likely as its weight."""
    weights = vectors.weights
    equal = (weights == weights[0]).all()
    chances = None if equal else weights / weights.sum()
    return vectors.at(rng.choice(len(vectors), k, replace=False, p=chances))


SEEDINGS: dict[str, Seeding] = {"kmeans++": plus_plus, "random": random}
