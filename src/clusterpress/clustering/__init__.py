"""Clustering of arrays: numbers in, centroids and labels out; no torch, no settings, no files."""

from clusterpress.clustering.curve import optimal_curve
from clusterpress.clustering.hierarchy import LINKAGES, Linkage, agglomerate, condensed_distances
from clusterpress.clustering.lloyd import lloyd
from clusterpress.clustering.optimal import optimal
from clusterpress.clustering.scalar import INITS, cluster
from clusterpress.clustering.seeds import seed
from clusterpress.clustering.sorted_values import ScalarClusters
from clusterpress.clustering.vector import VectorClusters, kmeans

__all__ = [
    "INITS",
    "LINKAGES",
    "Linkage",
    "ScalarClusters",
    "VectorClusters",
    "agglomerate",
    "cluster",
    "condensed_distances",
    "kmeans",
    "lloyd",
    "optimal",
    "optimal_curve",
    "seed",
]
