"""The seam between the fuzzer and the file format: a file taken apart, and put together again.

Whoever changes the layout of files changes this module, and no other of the fuzzer's.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from clusterpress.artifact.coders import RAW, SYMBOL_CODERS
from clusterpress.artifact.container import BODY, pack, unpack
from clusterpress.artifact.content import BUFFER, DENSE
from clusterpress.artifact.directory import from_text
from clusterpress.artifact.floats import DTYPES
from clusterpress.artifact.lane_plan import LANE_CODERS
from clusterpress.artifact.unpacking import Unpacker
from clusterpress.codes import CODES
from clusterpress.errors import ConfigError

_DIGEST_BYTES = 32
# Where a stream's row has its coder, its number of values and its number of bytes.
CODER, FORM, COUNT, SIZE = 1, 2, 3, 4
_STREAMS = 3
CODERS = (RAW, *SYMBOL_CODERS, *LANE_CODERS)
# What the directory chooses among: a word put for another one gets past the first checks.
WORDS = (
    *CODES,
    *DTYPES,
    *SYMBOL_CODERS,
    *LANE_CODERS,
    *("conv", "fc", "other", DENSE, BUFFER, RAW),
    *("codebook", "index", "position", "scale", "transform", "bias", "norm"),
    *("weight", "0.weight", "1.weight", "lenet300_100", "f16", "O8", "~digest", "__metadata__"),
)


@dataclass(frozen=True)
class Parts:
    """A file's directory, as JSON, and the bytes of its tensors by name."""

    text: str
    payloads: dict[str, bytes]


def unseal(data: bytes) -> Parts:
    """Take a file apart.

    Raises:
        ValueError: It is no whole artifact.
    """
    return Parts(*unpack(data))


def seal(parts: Parts) -> bytes:
    """Put a file together under a true digest, whatever its directory says.

    Raises:
        ValueError: The container has no place for a tensor of such a name.
    """
    try:
        return pack(parts.text, parts.payloads)
    except ConfigError as error:
        raise ValueError(str(error)) from error


def sealed_again(data: bytes) -> bytes:
    """Give bytes a true digest in the place of their last 32."""
    body = data[:-_DIGEST_BYTES]
    return body + hashlib.sha256(body).digest()


def header_end(data: bytes) -> int:
    """Give the place of the first byte after the container's header."""
    return 8 + int.from_bytes(data[:8], "little")


def stream_rows(parts: Parts) -> Iterator[tuple[str, list[list[Any]]]]:
    """Yield every tensor's name and its streams' rows, of those that have any.

    Raises:
        ValueError: The directory is no JSON of that form.
    """
    tensors = fields_of(parts).get("tensors")
    for name, row in tensors.items() if isinstance(tensors, dict) else ():
        streams = row[_STREAMS:] if isinstance(row, list) else []
        if streams and all(isinstance(stream, list) and len(stream) > COUNT for stream in streams):
            yield name, streams


def fields_of(parts: Parts) -> dict[str, Any]:
    """Give the directory as JSON.

    Raises:
        ValueError: It is no JSON object.
    """
    try:
        fields = json.loads(parts.text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")
    return fields


def decoded(data: bytes) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """Give every stream's values by tensor and part, read from a file that is known to be good."""
    parts = unseal(data)
    directory = from_text(parts.text)
    found: dict[str, dict[str, npt.NDArray[Any]]] = {
        name: {
            str(stream.part): values
            for stream, values in zip(directory.tensors[name].streams, one.values, strict=True)
        }
        for name, one in Unpacker(directory, parts.payloads[BODY])
    }
    for name, holder in directory.shared.items():
        found[name]["codebook"] = found[holder]["codebook"]
    return found
