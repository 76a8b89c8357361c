"""Clustering of arrays: numbers in, centroids and labels out; no torch, no settings, no files."""

from clusterpress.clustering.clusters import Clusters, OptimalClusters, label_type
from clusterpress.clustering.curve import optimal_curve
from clusterpress.clustering.hierarchy import LINKAGES, Linkage, agglomerate, condensed_distances
from clusterpress.clustering.lloyd import lloyd
from clusterpress.clustering.optimal import optimal
from clusterpress.clustering.scalar import INITS, cluster
from clusterpress.clustering.seeds import seed
from clusterpress.clustering.vector import kmeans

__all__ = [
    "INITS",
    "LINKAGES",
    "Clusters",
    "Linkage",
    "OptimalClusters",
    "agglomerate",
    "cluster",
    "condensed_distances",
    "kmeans",
    "label_type",
    "lloyd",
    "optimal",
    "optimal_curve",
    "seed",
]
