"""The compressed forms of a weight: how a coded weight is held, trained and listed as streams."""

from clusterpress.codes.base import (
    Cast,
    Code,
    Stream,
    attach,
    cast_to,
    code_of,
    coded_tensors,
    detach,
    dtype_of_cast,
    kind_of,
    original_of,
)
from clusterpress.codes.hashed import Hashed
from clusterpress.codes.kernels import Kernels, KernelSet
from clusterpress.codes.masked import Masked
from clusterpress.codes.network import (
    all_weight_layers,
    dense_copy,
    layer_type,
    own_methods,
    weight_layers,
)
from clusterpress.codes.product import Product
from clusterpress.codes.quantized import Quantized
from clusterpress.codes.shared import Shared
from clusterpress.codes.signed import Binary, Ternary

_ALL: tuple[type[Code], ...] = (
    Masked,
    Shared,
    Kernels,
    Quantized,
    Ternary,
    Binary,
    Product,
    Hashed,
)
CODES: dict[str, type[Code]] = {code.kind: code for code in _ALL}

__all__ = [
    "CODES",
    "Binary",
    "Cast",
    "Code",
    "Hashed",
    "KernelSet",
    "Kernels",
    "Masked",
    "Product",
    "Quantized",
    "Shared",
    "Stream",
    "Ternary",
    "all_weight_layers",
    "attach",
    "cast_to",
    "code_of",
    "coded_tensors",
    "dense_copy",
    "detach",
    "dtype_of_cast",
    "kind_of",
    "layer_type",
    "original_of",
    "own_methods",
    "weight_layers",
]
