"""The container: one safetensors file whose last bytes are a digest of all the others.

Version 2 has one byte tensor: two lengths, the directory deflated, then its streams. Version 1 has
the directory in the metadata and a byte tensor for each tensor of the network; it is still read.
"""

import hashlib
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from safetensors import SafetensorError
from safetensors.numpy import save as to_safetensors

from clusterpress.artifact.strict import parse
from clusterpress.errors import ArtifactError, ConfigError

DIGEST = "~digest"
BODY = "~body"
VERSION = "2"
_KEY = "clusterpress"
# Bytes of a directory: many thousands of tensors.
MAX_DIRECTORY = 1 << 24
_RAW_DEFLATE = -15
_DIGEST_BYTES = 32
_HEADER_BYTES = 100_000_000  # The most that safetensors allows.
_deserialize: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = safetensors.deserialize


def pack(directory: str, payloads: Mapping[str, bytes]) -> bytes:
    """Lay out a file: of version 2 where the streams are one ``BODY``, else of version 1.

    Raises:
        ConfigError: A tensor's name would not come before the digest's in the file's order.
    """
    if set(payloads) == {BODY}:
        text = directory.encode()
        deflate = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE)
        small = deflate.compress(text) + deflate.flush()
        lengths = len(small).to_bytes(4, "little") + len(text).to_bytes(4, "little")
        payloads = {BODY: lengths + small + payloads[BODY]}
        directory = VERSION
    late = [name for name in payloads if name >= DIGEST]
    if late:
        raise ConfigError(f"Tensor name {late[0]!r} cannot be stored: it sorts after {DIGEST!r}.")
    tensors = {name: np.frombuffer(data, np.uint8) for name, data in payloads.items()}
    tensors[DIGEST] = np.zeros(_DIGEST_BYTES, np.uint8)
    body = to_safetensors(tensors, metadata={_KEY: directory})[:-_DIGEST_BYTES]
    return body + hashlib.sha256(body).digest()


def unpack(data: bytes) -> tuple[str, dict[str, bytes]]:
    """Check a file's digest and layout and give its directory's text and its tensors' bytes.

    Raises:
        ValueError: The file is damaged or is not an artifact.
    """
    body, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("its digest does not match its content: it is damaged or no artifact")
    try:
        tensors = dict(_deserialize(data))
    except SafetensorError as error:
        raise ValueError(f"it is not a safetensors file ({error})") from error
    start = 8 + int.from_bytes(data[:8], "little")
    header = parse(data[8:start])
    directory = (header.pop("__metadata__", None) or {}).get(_KEY)
    if directory is None:
        raise ValueError(f"its metadata have no {_KEY!r} directory")
    if any(field["dtype"] != "U8" for field in header.values()):
        raise ValueError("it holds a tensor that is not of bytes")
    end = len(data) - start
    if header.get(DIGEST, {}).get("data_offsets") != [end - _DIGEST_BYTES, end]:
        raise ValueError("its digest is not at its end")
    payloads = {name: bytes(t["data"]) for name, t in tensors.items() if name != DIGEST}
    return (directory, payloads) if directory.startswith("{") else _second(directory, payloads)


def _second(version: str, payloads: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Take the directory out of the body of a file of version 2.

    Raises:
        ValueError: It is of another version, or has another layout.
    """
    if version != VERSION:
        raise ValueError(f"its version is {version!r:.40}, this clusterpress reads 1 and {VERSION}")
    if set(payloads) != {BODY}:
        raise ValueError(f"it has tensors {sorted(payloads)[:3]} instead of {BODY!r} alone")
    body = payloads[BODY]
    small, size = (int.from_bytes(body[at : at + 4], "little") for at in (0, 4))
    if len(body) < 8 + small or size > MAX_DIRECTORY:
        raise ValueError(f"its directory of {size} bytes is not in {small} of {len(body)} bytes")
    inflate = zlib.decompressobj(_RAW_DEFLATE)
    try:
        text = inflate.decompress(body[8 : 8 + small], size + 1)
    except zlib.error as error:
        raise ValueError(f"its directory is not deflated ({error})") from error
    if len(text) != size or not inflate.eof or inflate.unused_data:
        raise ValueError(f"its directory does not inflate to {size} bytes")
    return text.decode(), {BODY: body[8 + small :]}


def is_artifact(path: Path) -> bool:
    """Tell by its header whether a file claims to be an artifact; other safetensors are none.

    Raises:
        ArtifactError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = parse(file.read(min(length, _HEADER_BYTES)))
    except FileNotFoundError as error:
        raise ArtifactError(f"There is no file {path}.") from error
    except OSError as error:
        raise ArtifactError(f"The file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        return False
    metadata = head.get("__metadata__") if isinstance(head, dict) else None
    return isinstance(metadata, dict) and _KEY in metadata


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        ArtifactError: There is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(f"There is no artifact at {path}.") from error
    except OSError as error:
        raise ArtifactError(f"The artifact {path} cannot be read: {error.strerror}.") from error
