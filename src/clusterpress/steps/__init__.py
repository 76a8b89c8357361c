"""The steps: one file each; a method is a named list of them."""

from clusterpress.steps.base import Checked, Context, Step
from clusterpress.steps.binarize import Binarize
from clusterpress.steps.cluster_kernels import ClusterKernels
from clusterpress.steps.cluster_linear import ClusterLinear
from clusterpress.steps.entropy_share import EntropyShare
from clusterpress.steps.finetune import Finetune
from clusterpress.steps.hash_weights import HashWeights
from clusterpress.steps.merge import MergeNeurons
from clusterpress.steps.product_quantize import ProductQuantize
from clusterpress.steps.prune import Prune
from clusterpress.steps.prune_neurons import PruneNeurons
from clusterpress.steps.quantize import Quantize
from clusterpress.steps.quantize_codebook import QuantizeCodebook
from clusterpress.steps.reinitialize import Reinitialize
from clusterpress.steps.share import Share
from clusterpress.steps.soft_share import SoftShare
from clusterpress.steps.ternarize import Ternarize
from clusterpress.steps.widths import NarrowsLayers

__all__ = [
    "Binarize",
    "Checked",
    "ClusterKernels",
    "ClusterLinear",
    "Context",
    "EntropyShare",
    "Finetune",
    "HashWeights",
    "MergeNeurons",
    "NarrowsLayers",
    "ProductQuantize",
    "Prune",
    "PruneNeurons",
    "Quantize",
    "QuantizeCodebook",
    "Reinitialize",
    "Share",
    "SoftShare",
    "Step",
    "Ternarize",
]
