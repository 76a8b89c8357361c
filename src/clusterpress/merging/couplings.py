"""Which layers share their neurons, and who reads them, collected along the graph."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from clusterpress.merging.flow import Flow, Segment


@dataclass(frozen=True)
class Place:
    """Where a module has a hidden layer's neurons among its inputs.

    Attributes:
        name: The module.
        columns_per_neuron: How many of its consecutive inputs come from one neuron: 1, or the
            H*W positions of a channel behind a flatten.
        start: Which of its inputs is the first of the first neuron: not 0 behind a concatenation.
    """

    name: str
    columns_per_neuron: int
    start: int = 0


@dataclass(frozen=True)
class Consumer(Place):
    """A layer that reads a hidden layer's neurons."""


@dataclass(frozen=True)
class Norm(Place):
    """A BatchNorm that a hidden layer's neurons go through.

    Attributes:
        of: The layer whose weighted sums it normalises; None where something that is not
            linear, or a skip, stands between.
    """

    of: str | None = None


@dataclass
class Couplings:
    """What has been found so far, by layer.

    Attributes:
        widths: Neurons of every layer, in the order of the data.
        consumers: A layer, and one that reads its neurons.
        norms: A layer, and a BatchNorm that reads its neurons.
        raw: Layers whose weighted sums something else than a BatchNorm reads.
        kept: Layers whose neurons are outputs of the network.
        skips: Layers whose neurons a skip joins with those of others.
        obstacles: Why a layer's neurons cannot be merged.
    """

    widths: dict[str, int] = field(default_factory=dict)
    consumers: list[tuple[str, Consumer]] = field(default_factory=list)
    norms: list[tuple[str, Norm]] = field(default_factory=list)
    raw: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    skips: set[str] = field(default_factory=set)
    obstacles: dict[str, str] = field(default_factory=dict)
    _parent: dict[str, str] = field(default_factory=dict)

    def give(self, layer: str, width: int) -> Flow:
        """Add a layer and give the flow of its outputs."""
        self.widths.setdefault(layer, width)
        return Flow((Segment(layer, width, 1, linear=True),))

    def spend(self, flow: Flow) -> Flow:
        """Give a flow behind what is not linear and no BatchNorm, which reads the sums raw."""
        self.raw.update(each.layer for each in flow.segments if each.linear and each.layer)
        return flow.nonlinear()

    def block(self, layers: Iterable[str], why: str) -> None:
        """Remember why neurons cannot be merged; the first reason stays."""
        for layer in layers:
            self.obstacles.setdefault(layer, why)

    def join(self, first: Flow, second: Flow) -> None:
        """Remember that neurons of aligned flows are combined one by one."""
        for one, other in zip(first.layers, second.layers, strict=True):
            if self.root(one) != self.root(other):
                self.skips.update((one, other))
                self._parent[self.root(other)] = self.root(one)

    def root(self, layer: str) -> str:
        """Give the layer that stands for all those joined with this one."""
        while layer in self._parent:
            layer = self._parent[layer]
        return layer

    def groups(self) -> list[list[str]]:
        """List the joined layers, in the order of the first of each."""
        found: dict[str, list[str]] = {}
        for layer in self.widths:
            found.setdefault(self.root(layer), []).append(layer)
        return list(found.values())
