"""The ledger: an artifact's bits by tensor and part, read without torch and without the file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any, Literal, Self

from clusterpress.errors import ArtifactError

Part = Literal["codebook", "index", "position", "scale", "transform", "dense", "bias", "norm"]
LayerType = Literal["conv", "fc", "other"]
NOT_WEIGHTS: tuple[Part, ...] = ("bias", "norm")


@dataclass(frozen=True)
class Row:
    """One stream of one tensor.

    Attributes:
        tensor: State-dict name, as ``conv1.weight``.
        layer: Name of its layer, as ``conv1``.
        layer_type: ``conv``, ``fc`` or ``other``.
        part: What the stream holds.
        count: Number of values; of a position stream the size of the mask.
        alphabet: Number of symbols; None for floats.
        fixed_bits: Bits at a fixed width for each value.
        entropy_bits: Empirical entropy of the symbols; of floats their fixed bits.
        huffman_bits: Bits under a Huffman code without its table; of floats their fixed bits.
        stored_bytes: Bytes in the file.
        histogram: How often each symbol of an index occurs; empty for other parts.
        gaps: Of a position stream, ``(distance, how often)`` of the distances from one kept
            weight to the next in row-major order, the first counted from -1; else empty.
        buffer: Whether the tensor is a buffer, not a parameter.
        kind: Kind of the tensor's code, where its streams do not count its weights one by one;
            else empty.
    """

    tensor: str
    layer: str
    layer_type: LayerType
    part: Part
    count: int
    alphabet: int | None
    fixed_bits: int
    entropy_bits: float
    huffman_bits: int
    stored_bytes: int
    histogram: tuple[int, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    buffer: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Ledger:
    """Every byte of an artifact.

    Attributes:
        rows: One row a stream.
        header_bytes: Bytes of the file that are no stream: container, directory, digest.
        reference: Elements of every tensor in the uncompressed baseline.
        shapes: Shape of every tensor.
        position_bits: Width of a relative position by the paper's convention.
    """

    rows: tuple[Row, ...]
    header_bytes: int
    reference: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    position_bits: int

    @property
    def file_bytes(self) -> int:
        """Size of the file on disk."""
        return self.header_bytes + sum(row.stored_bytes for row in self.rows)

    @property
    def reference_bytes(self) -> int:
        """Size of the uncompressed baseline's state dict in fp32."""
        return 4 * sum(self.reference.values())

    @property
    def conv_weight_bytes(self) -> int:
        """Size of the uncompressed baseline's convolution weights in fp32, biases left out."""
        names = {
            row.tensor
            for row in self.rows
            if row.layer_type == "conv" and row.part not in NOT_WEIGHTS
        }
        return 4 * sum(self.reference[name] for name in names)

    @property
    def weight_stream_bytes(self) -> int:
        """Bytes of the weights' streams: all but biases, norms and the header."""
        return sum(row.stored_bytes for row in self.rows if row.part not in NOT_WEIGHTS)

    def part_bytes(self, part: str) -> int:
        """Give the stored bytes of one part over all tensors."""
        return sum(row.stored_bytes for row in self.rows if row.part == part)

    def tensors(self) -> dict[str, dict[Part, Row]]:
        """Give the rows by tensor and part."""
        grouped: dict[str, dict[Part, Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.tensor, {})[row.part] = row
        return grouped

    def to_dict(self) -> dict[str, Any]:
        """Give the ledger as JSON-safe values; ``from_dict`` gives it back."""
        return {
            "rows": [_to_lists(asdict(row)) for row in self.rows],
            "header_bytes": self.header_bytes,
            "reference": dict(self.reference),
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
            "position_bits": self.position_bits,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a ledger.

        Raises:
            ArtifactError: Something that a ledger needs is missing.
        """
        try:
            return cls(
                rows=tuple(_row(row) for row in data["rows"]),
                header_bytes=data["header_bytes"],
                reference=dict(data["reference"]),
                shapes={name: tuple(shape) for name, shape in data["shapes"].items()},
                position_bits=data["position_bits"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"The ledger is incomplete or has unknown fields: {error}."
            ) from error


@dataclass(frozen=True)
class LayerBytes:
    """What one layer costs: for tables and stacked bars.

    Attributes:
        layer: Its name.
        layer_type: ``conv``, ``fc`` or ``other``.
        reference_bytes: Its fp32 bytes in the uncompressed baseline.
        parts: Stored bytes by part.
        kept: Weights that are not pruned.
        weights: Weights in all, at the layer's present size.
    """

    layer: str
    layer_type: LayerType
    reference_bytes: int
    parts: Mapping[str, int]
    kept: int
    weights: int

    @property
    def stored_bytes(self) -> int:
        """Bytes of the layer in the file."""
        return sum(self.parts.values())


def layer_breakdown(ledger: Ledger) -> list[LayerBytes]:
    """Break the file's streams down by layer, in the file's order."""
    layers: dict[str, list[Row]] = {}
    for row in ledger.rows:
        layers.setdefault(row.layer, []).append(row)
    return [_layer_bytes(ledger, name, rows) for name, rows in layers.items()]


def _layer_bytes(ledger: Ledger, layer: str, rows: list[Row]) -> LayerBytes:
    parts: Counter[str] = Counter()
    for row in rows:
        parts[row.part] += row.stored_bytes
    tensors = {row.tensor for row in rows}
    weights = {row.tensor for row in rows if row.part not in NOT_WEIGHTS}
    held = ledger.tensors()
    return LayerBytes(
        layer,
        rows[0].layer_type,
        4 * sum(ledger.reference[name] for name in tensors),
        dict(parts),
        sum(kept_count(held[name], prod(ledger.shapes[name])) for name in weights),
        sum(prod(ledger.shapes[name]) for name in weights),
    )


def kept_count(rows: Mapping[Part, Row], elements: int) -> int:
    """Give how many of a tensor's ``elements`` are held: all, but for those that a mask prunes."""
    position = rows.get("position")
    return elements if position is None else sum(count for _, count in position.gaps)


def _to_lists(row: dict[str, Any]) -> dict[str, Any]:
    gaps = [list(pair) for pair in row["gaps"]]
    return row | {"histogram": list(row["histogram"]), "gaps": gaps}


def _row(data: Mapping[str, Any]) -> Row:
    unknown = set(data) - {field.name for field in fields(Row)}
    if unknown:
        raise KeyError(*sorted(unknown))
    gaps = tuple((gap, count) for gap, count in data["gaps"])
    return Row(**{**data, "histogram": tuple(data["histogram"]), "gaps": gaps})
