"""The compressed forms of a weight: how a coded weight is held, trained and listed as streams."""

from clusterpress.codes.base import (
    Code,
    Stream,
    attach,
    code_of,
    coded_tensors,
    detach,
    kind_of,
    original_of,
)
from clusterpress.codes.kernels import Kernels, KernelSet
from clusterpress.codes.masked import Masked
from clusterpress.codes.network import dense_copy, layer_type, weight_layers
from clusterpress.codes.shared import Shared

CODES: dict[str, type[Code]] = {code.kind: code for code in (Masked, Shared, Kernels)}

__all__ = [
    "CODES",
    "Code",
    "KernelSet",
    "Kernels",
    "Masked",
    "Shared",
    "Stream",
    "attach",
    "code_of",
    "coded_tensors",
    "dense_copy",
    "detach",
    "kind_of",
    "layer_type",
    "original_of",
    "weight_layers",
]
