"""Clustering of arrays: numbers in, centres and labels out; no settings, no files."""

from clusterpress.clustering.clusters import (
    Clusters,
    EntropyClusters,
    KernelClusters,
    OptimalCenters,
    OptimalClusters,
    ProductClusters,
    label_type,
)
from clusterpress.clustering.hierarchy.agglomerate import LINKAGES, Linkage, agglomerate
from clusterpress.clustering.hierarchy.distances import condensed_distances
from clusterpress.clustering.scalar.assign import assign
from clusterpress.clustering.scalar.cluster import INITS, cluster
from clusterpress.clustering.scalar.curve import optimal_curve
from clusterpress.clustering.scalar.entropy import entropy_constrained
from clusterpress.clustering.scalar.lloyd import lloyd
from clusterpress.clustering.scalar.optimal import optimal, optimal_centers
from clusterpress.clustering.scalar.seeds import seed
from clusterpress.clustering.vector.kmeans import kmeans
from clusterpress.clustering.vector.options import Options
from clusterpress.clustering.vector.product import product_quantize
from clusterpress.clustering.vector.transforms import square_turns, transform, transform_invariant

__all__ = [
    "INITS",
    "LINKAGES",
    "Clusters",
    "EntropyClusters",
    "KernelClusters",
    "Linkage",
    "OptimalCenters",
    "OptimalClusters",
    "Options",
    "ProductClusters",
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
    "product_quantize",
    "seed",
    "square_turns",
    "transform",
    "transform_invariant",
]
