"""What the commands for one's own network do, file in and file out."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from clusterpress import artifact
from clusterpress.artifact import Ledger
from clusterpress.artifact.container import is_artifact
from clusterpress.artifact.packing import Coder
from clusterpress.errors import ConfigError
from clusterpress.library.compressing import compress
from clusterpress.library.dense import decompress
from clusterpress.library.exporting import export
from clusterpress.models.checkpoints import find
from clusterpress.models.named import network_named

MOST_INPUT = 1 << 27
"""Numbers of one input: half a gigabyte in float32."""


def compress_file(  # noqa: PLR0913 - options of a command
    weights: Path,
    *,
    arch: str,
    output: Path,
    method: str,
    settings: Sequence[str],
    shape: str | None,
    coder: Coder,
    seed: int,
) -> Iterator[str]:
    """Compress trained weights into one file; give what to tell the user.

    Raises:
        ConfigError: The network, the weights, the method or a setting is wrong, or the output
            would replace the weights.
        StoreError: The file cannot be written.
    """
    found = find(str(weights))
    if found is None:
        raise ConfigError(f"there is no file {weights}")
    _require_another(found, output)
    if is_artifact(found):
        raise ConfigError(f"{found} is compressed already; `clusterpress decompress` opens it")
    named = network_named(arch)
    example = None if shape is None else torch.zeros(1, *input_shape(shape))
    compressed = compress(
        named.trained(found).eval(),
        method,
        settings=dict(map(_setting, settings)),
        example=example,
        seed=seed,
        architecture=named.architecture,
    )
    ledger = compressed.save(output, coder=coder)
    yield f"wrote {output}: {_sizes(ledger)}"
    yield from compressed.left_out


def decompress_file(path: Path, output: Path) -> int:
    """Write an artifact's dense tensors beside it; give the new file's bytes.

    Raises:
        ConfigError: The output would replace the artifact.
        ArtifactError: The artifact is missing, damaged or hostile.
        StoreError: The file cannot be written.
    """
    _require_another(path, output)
    return decompress(path, output)


def export_file(path: Path, output: Path, shape: str, arch: str | None) -> int:
    """Export an artifact as ONNX; give its bytes.

    Raises:
        ConfigError: The architecture is needed and not given, the input's shape is wrong, or the
            output would replace the artifact.
        ArtifactError: The artifact is damaged, or what was exported computes something else.
    """
    _require_another(path, output)
    into = None if arch is None else network_named(arch).build()
    return export(artifact.load(path, into=into), output, input_shape(shape))


def input_shape(text: str) -> tuple[int, ...]:
    """Read a shape such as 3,224,224.

    Raises:
        ConfigError: It is none.
    """
    try:
        shape = tuple(map(int, text.split(",")))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise ConfigError(f"--input is {text!r}, it must be whole numbers like 3,224,224")
    if math.prod(shape) > MOST_INPUT:
        raise ConfigError(f"--input is {text!r}, more than {MOST_INPUT:,} numbers")
    return shape


def _require_another(source: Path, output: Path) -> None:
    """Refuse to write over what is read: it may be the only copy."""
    if source.exists() and output.exists() and source.samefile(output):
        raise ConfigError(f"--output is {output}, the file that is read; give it another name")


def _setting(line: str) -> tuple[str, Any]:
    key, equals, value = line.partition("=")
    if not equals:
        raise ConfigError(f"--set is {line!r}, it must be like cluster.k=128")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"--set {key} is {value!r}, which is no value: {reason}") from error


def _sizes(ledger: Ledger) -> str:
    before, after = ledger.reference_bytes, ledger.file_bytes
    return f"{after:,} bytes, {before / after:.1f}x smaller than {before:,} in float32"
