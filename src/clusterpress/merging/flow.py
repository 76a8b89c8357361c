"""Which neurons a tensor between layers carries, and in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Segment:
    """Neighbouring channels of a tensor: all neurons of one layer, one after another.

    Attributes:
        layer: The layer; None for channels that a padding put there.
        width: How many neurons.
        columns: How many channels each neuron has: 1, or its H*W positions behind a flatten.
        linear: Whether the values still are a weighted sum of the layer's inputs.
    """

    layer: str | None
    width: int
    columns: int = 1
    linear: bool = False

    @property
    def size(self) -> int:
        """Number of channels."""
        return self.width * self.columns


@dataclass(frozen=True)
class Flow:
    """What a tensor carries.

    Attributes:
        segments: Its channels from first to last; empty where no layer's neurons are in it.
        rank: Number of its dimensions: 4 for (N, C, H, W), 2 for (N, C).
        obstacle: Why its channels cannot be told apart; then ``segments`` are what went in.
    """

    segments: tuple[Segment, ...] = ()
    rank: int = 4
    obstacle: str | None = None

    @property
    def layers(self) -> list[str]:
        """The layers whose neurons it carries."""
        return [segment.layer for segment in self.segments if segment.layer is not None]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return sum(segment.size for segment in self.segments)

    def nonlinear(self) -> "Flow":
        """Give it behind something that is not linear."""
        return replace(self, segments=tuple(replace(each, linear=False) for each in self.segments))

    def flattened(self, positions: int, rank: int = 2) -> "Flow":
        """Give it behind a flatten of ``positions`` positions a channel, one position left."""
        longer = (replace(each, columns=each.columns * positions) for each in self.segments)
        return replace(self, segments=tuple(longer), rank=rank)

    def padded(self, before: int, after: int) -> "Flow":
        """Give it between channels that belong to no layer."""
        first = (Segment(None, before),) if before else ()
        last = (Segment(None, after),) if after else ()
        return replace(self.nonlinear(), segments=first + self.nonlinear().segments + last)

    def starts(self) -> list[tuple[int, Segment]]:
        """Give every segment of a layer's neurons with its first channel."""
        found, start = [], 0
        for segment in self.segments:
            if segment.layer is not None:
                found.append((start, segment))
            start += segment.size
        return found

    def aligned(self, other: "Flow") -> bool:
        """Whether both have neurons of layers at the same channels, segment by segment."""
        ours, theirs = (
            [(each.layer is None, each.width, each.columns) for each in flow.segments]
            for flow in (self, other)
        )
        return ours == theirs and self.rank == other.rank


def blocked(flows: Iterable[Flow], why: str) -> Flow:
    """Give the flow behind what mixes neurons; the first obstacle on the way is the reason.

    Each segment once: of a chain of skips every addition would double them otherwise.
    """
    flows = list(flows)
    segments = tuple(dict.fromkeys(segment for flow in flows for segment in flow.segments))
    earlier = next((flow.obstacle for flow in flows if flow.obstacle), None)
    return Flow(segments, obstacle=earlier or why) if segments else Flow()


def concatenated(flows: Sequence[Flow]) -> Flow:
    """Give the flow of tensors put one behind another along their channels."""
    return Flow(tuple(segment for flow in flows for segment in flow.segments), flows[0].rank)
