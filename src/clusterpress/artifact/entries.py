"""What the directory says of one tensor and of one stream."""

from dataclasses import dataclass
from math import prod

from clusterpress.artifact.content import BUFFER, DENSE
from clusterpress.codes import CODES
from clusterpress.ledger import LayerType, Part


@dataclass(frozen=True)
class StreamEntry:
    """How a stream is coded.

    Attributes:
        part: What it holds.
        coder: Name of its coder.
        form: Its alphabet or its dtype.
        count: Number of values.
        size: Bytes of its own: all of them, but for what a lane holds of it.
    """

    part: Part
    coder: str
    form: int | str
    count: int
    size: int


@dataclass(frozen=True)
class TensorEntry:
    """What one tensor is; its streams' bytes follow one another in this order.

    ``cast`` is the dtype that the dense weight of a code is given in; None for the code's own.
    """

    layer_type: LayerType
    kind: str
    shape: tuple[int, ...]
    streams: tuple[StreamEntry, ...]
    cast: str | None = None

    @property
    def elements(self) -> int:
        """Number of elements of the dense tensor."""
        return prod(self.shape)

    @property
    def plain(self) -> bool:
        """Whether no code holds it: a dense parameter or a buffer."""
        return self.kind in (DENSE, BUFFER)

    def parts(self) -> dict[Part, StreamEntry]:
        """Give the streams by part."""
        return {stream.part: stream for stream in self.streams}

    def dtype(self) -> str:
        """Give numpy's short name of the dtype in which the dense tensor comes back.

        Raises:
            ValueError: Its code holds no values of the dtype that is stored.
        """
        dtypes: dict[str, str] = {s.part: s.form for s in self.streams if isinstance(s.form, str)}
        if self.plain:
            return next(iter(dtypes.values()))
        own = CODES[self.kind].dense_dtype(dtypes)
        return own if self.cast is None else self.cast
