"""Clustering of arrays: numbers in, centres and labels out; no settings, no files."""

from clusterpress.clustering.assign import assign
from clusterpress.clustering.clusters import (
    Clusters,
    EntropyClusters,
    OptimalCenters,
    OptimalClusters,
    label_type,
)
from clusterpress.clustering.curve import optimal_curve
from clusterpress.clustering.distances import condensed_distances
from clusterpress.clustering.entropy import entropy_constrained
from clusterpress.clustering.hierarchy import LINKAGES, Linkage, agglomerate
from clusterpress.clustering.lloyd import lloyd
from clusterpress.clustering.optimal import optimal, optimal_centers
from clusterpress.clustering.scalar import INITS, cluster
from clusterpress.clustering.seeds import seed
from clusterpress.clustering.vector import kmeans

__all__ = [
    "INITS",
    "LINKAGES",
    "Clusters",
    "EntropyClusters",
    "Linkage",
    "OptimalCenters",
    "OptimalClusters",
    "agglomerate",
    "assign",
    "cluster",
    "condensed_distances",
    "entropy_constrained",
    "kmeans",
    "label_type",
    "lloyd",
    "optimal",
    "optimal_centers",
    "optimal_curve",
    "seed",
]
