"""Ledgers from the shapes of networks alone: what a paper's arithmetic has before any training."""

from collections.abc import Mapping
from math import prod

from torch import nn

from clusterpress.artifact import Ledger
from clusterpress.codes import layer_type
from clusterpress.codes.base import Part
from clusterpress.ledger import Row

Shapes = Mapping[str, tuple[int, ...]]


def head(name: str, kind: str) -> tuple[str, str, str]:
    return name, name.rpartition(".")[0], kind


def floats(name: str, kind: str, part: Part, count: int, bits: int = 32, *, of: str = "") -> Row:
    total = count * bits
    return Row(*head(name, kind), part, count, None, total, total, total, total // 8, kind=of)


def symbols(name: str, kind: str, count: int, alphabet: int, *, of: str = "") -> Row:
    """An index whose symbols are all equally frequent."""
    bits = count * (alphabet - 1).bit_length()
    histogram = () if of else (count // alphabet,) * alphabet
    sizes = (bits, float(bits), bits, bits // 8)
    return Row(*head(name, kind), "index", count, alphabet, *sizes, histogram, kind=of)


def parameters(network: nn.Module) -> dict[str, tuple[tuple[int, ...], str, Part]]:
    """Shape, type of layer and part of every parameter; a norm's are ``norm``."""
    found: dict[str, tuple[tuple[int, ...], str, Part]] = {}
    for layer, module in network.named_modules():
        norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        kind = "other" if norm else layer_type(module)
        for name, tensor in module.named_parameters(recurse=False):
            part: Part = "norm" if norm else "bias" if name == "bias" else "dense"
            found[f"{layer}.{name}"] = (tuple(tensor.shape), kind, part)
    return found


def ledger(rows: list[Row], shapes: Shapes) -> Ledger:
    elements = {name: prod(shape) for name, shape in shapes.items()}
    return Ledger(tuple(rows), 0, elements, dict(shapes), 5)
