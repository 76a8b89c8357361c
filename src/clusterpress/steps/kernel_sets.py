"""Which layers share their kernels, and how many kernels a set may have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from clusterpress.codes import weight_layers
from clusterpress.errors import ConfigError
from clusterpress.suggest import by_name, named, nearest

Sets = str | Mapping[str, Sequence[str]]
NETWORK, LAYER = "network", "layer"


@dataclass(frozen=True)
class KernelLayer:
    """A convolution whose kernels have more than one tap."""

    name: str
    module: nn.Conv2d

    @property
    def size(self) -> str:
        """Height and width of a kernel, as ``3x3``."""
        return "x".join(str(taps) for taps in self.module.kernel_size)


def named_sets(sets: object) -> Sets:
    """Give sets whose names, and those of their layers, are text.

    Raises:
        ConfigError: They are neither ``network`` nor ``layer`` nor lists of layers by set, or two
            sets have one name.
    """
    if isinstance(sets, str) and sets in (NETWORK, LAYER):
        return sets
    if not isinstance(sets, Mapping) or not sets or not all(map(_is_list, sets.values())):
        raise ConfigError(
            f"ClusterKernels: sets={sets!r} is neither network nor layer nor lists of layers by "
            "name, none of them empty"
        )
    knob = "ClusterKernels: sets"
    return {name: [named(one, knob) for one in ls] for name, ls in by_name(sets, knob).items()}


def kernel_sets(network: nn.Module, sets: Sets, transforms: int) -> dict[str, list[KernelLayer]]:
    """Group the network's convolutions, those of one tap left out.

    Args:
        network: The network.
        sets: As ``named_sets`` gives them.
        transforms: T; beyond 1, kernels must be square.

    Raises:
        ConfigError: There is no such convolution, a list names what is none or what another list
            has, kernels of one set differ in size, or transforms are asked of kernels that are
            not square.
    """
    layers = [
        KernelLayer(name, module)
        for name, module in weight_layers(network)
        if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)
    ]
    if not layers:
        raise ConfigError(
            "the network has no convolution with kernels of more than one tap, so there are no "
            "kernels to cluster"
        )
    grouped: dict[str, list[KernelLayer]] = {}
    for name, layer in _named(layers, sets):
        grouped.setdefault(name, []).append(layer)
    for name, members in grouped.items():
        _check_sizes(name, members, transforms)
    return grouped


def sizes(
    k: int | Mapping[str, int], kernels: Mapping[str, int], exact: bool = True
) -> dict[str, int]:
    """Give the number of centroids of every set.

    Args:
        k: One number, or by set.
        kernels: Number of kernels to cluster of every set.
        exact: Whether more centroids than kernels are refused, else cut.

    Raises:
        ConfigError: There are more centroids than kernels, or a set is missing or unknown.
    """
    if not isinstance(k, Mapping):
        # One number for sets of many sizes: the paper's M13 gives the first layer min(K, 192).
        most = max(kernels.values(), default=0)
        if exact and k > most > 0 and len(kernels) > 1:
            raise ConfigError(
                f"k={k} centroids were asked of sets of {most} kernels at most; take at most "
                f"{most}, or exact=false"
            )
        cut = {name: min(k, count) for name, count in kernels.items()}
        k = cut if len(kernels) > 1 else dict.fromkeys(kernels, k)
    for name in k:
        if name not in kernels:
            raise ConfigError(f"k names the set {name!r}; {nearest(name, list(kernels))}")
    for name, count in kernels.items():
        if name not in k:
            raise ConfigError(f"k names no number for the set {name!r} of {count} kernels")
        if not count:
            raise ConfigError(
                f"the set {name!r} has no kernel to cluster: all are of norm zero, or it names no "
                "layer"
            )
        if exact and k[name] > count:
            raise ConfigError(
                f"k={k[name]} centroids were asked of the {count} kernels of the set {name!r}; "
                f"take at most {count}, or exact=false"
            )
    return {name: min(k[name], count) for name, count in kernels.items()}


def fewer(k: int | Mapping[str, int], given: Mapping[str, int]) -> dict[str, int]:
    """Give the sets that have fewer centroids than were asked for.

    Args:
        k: What was asked for.
        given: What ``sizes`` gave.
    """
    asked = {name: k[name] if isinstance(k, Mapping) else k for name in given}
    return {name: count for name, count in given.items() if count < asked[name]}


def _named(layers: Sequence[KernelLayer], sets: Sets) -> list[tuple[str, KernelLayer]]:
    if sets == NETWORK:
        return [(layer.size, layer) for layer in layers]
    if sets == LAYER:
        return [(layer.name, layer) for layer in layers]
    assert isinstance(sets, Mapping)
    known = {layer.name: layer for layer in layers}
    pairs = [(name, layer) for name, members in sets.items() for layer in members]
    for name, layer in pairs:
        if layer not in known:
            raise ConfigError(
                f"the set {name!r} names {layer!r}, which is no convolution of more than one tap; "
                f"{nearest(layer, list(known))}"
            )
    listed = [layer for _, layer in pairs]
    double = sorted({layer for layer in listed if listed.count(layer) > 1})
    if double:
        raise ConfigError(f"the layers {', '.join(double)} are in more than one set")
    return [(name, known[layer]) for name, layer in pairs]


def _is_list(members: object) -> bool:
    """Say whether they are a list that is not empty; text is a sequence of letters."""
    return isinstance(members, Sequence) and not isinstance(members, str) and bool(members)


def _check_sizes(name: str, members: Sequence[KernelLayer], transforms: int) -> None:
    found = sorted({layer.size for layer in members})
    if len(found) > 1:
        raise ConfigError(f"the set {name!r} has kernels of {', '.join(found)}; one size is needed")
    height, width = members[0].module.kernel_size
    if transforms > 1 and height != width:
        raise ConfigError(
            f"transforms={transforms} needs square kernels, those of the set {name!r} are "
            f"{found[0]}"
        )
