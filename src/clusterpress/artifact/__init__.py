"""Streams of a coded network -> bytes -> network, with the ledger of every byte."""

from clusterpress.artifact.content import elements
from clusterpress.artifact.conventions import CONVENTIONS, han2016_huffman_bytes, held_parameters
from clusterpress.artifact.decode import Inspection, load, read, state
from clusterpress.artifact.directory import VERSION
from clusterpress.artifact.encode import save
from clusterpress.artifact.kernel_books import KernelBook, read_kernels
from clusterpress.ledger import LayerBytes, Ledger, Row, layer_breakdown

__all__ = [
    "CONVENTIONS",
    "VERSION",
    "Inspection",
    "KernelBook",
    "LayerBytes",
    "Ledger",
    "Row",
    "elements",
    "han2016_huffman_bytes",
    "held_parameters",
    "layer_breakdown",
    "load",
    "read",
    "read_kernels",
    "save",
    "state",
]
