"""What a hidden layer is: neurons, the layers that give them, and all places they go to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from clusterpress.merging.couplings import Consumer, Norm, Place

_Place = TypeVar("_Place", Consumer, Norm)


@dataclass(frozen=True)
class HiddenLayer:
    """A layer whose neurons (output features or channels) may be merged or removed.

    Attributes:
        name: The layer; of layers that a skip joins, the first.
        width: Number of neurons.
        consumers: Who reads the neurons.
        joined: The other layers whose neuron i is added to neuron i of this one.
        norms: BatchNorms that the neurons go through.
        scalable: Those of its layers whose weighted sums go to BatchNorms alone: a neuron's
            weights may then take any scale that its norms undo.
    """

    name: str
    width: int
    consumers: tuple[Consumer, ...]
    joined: tuple[str, ...] = ()
    norms: tuple[Norm, ...] = ()
    scalable: frozenset[str] = frozenset()

    @property
    def producers(self) -> tuple[str, ...]:
        """All layers that give the neurons."""
        return (self.name, *self.joined)

    def norms_of(self, producer: str | None) -> list[Norm]:
        """List the norms of a producer's weighted sums; None for those further behind."""
        return [norm for norm in self.norms if norm.of == producer]


def narrowed(layers: Sequence[HiddenLayer], merged: HiddenLayer, lost: int) -> list[HiddenLayer]:
    """Give layers as they are once another one has lost neurons.

    In a concatenation, the channels behind those of the merged layer move up.
    """
    return [
        replace(
            layer,
            consumers=tuple(_moved(consumer, merged, lost) for consumer in layer.consumers),
            norms=tuple(_moved(norm, merged, lost) for norm in layer.norms),
        )
        for layer in layers
    ]


def _moved(place: _Place, merged: HiddenLayer, lost: int) -> _Place:
    others: list[Place] = [*merged.consumers, *merged.norms]
    before = [each for each in others if each.name == place.name and each.start < place.start]
    gone = lost * sum(each.columns_per_neuron for each in before)
    return replace(place, start=place.start - gone)
