"""Write a network as ONNX, and believe it only after another engine computed the same."""

import importlib.util
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from clusterpress.codes import dense_copy
from clusterpress.durable import write_atomic
from clusterpress.errors import ArtifactError, ConfigError

TOLERANCE = 1e-4
BATCHES = (1, 3)
_NEEDED = ("onnx", "onnxscript", "onnxruntime")


def export(network: nn.Module, path: str | os.PathLike[str], shape: tuple[int, ...]) -> int:
    """Write a network with dense weights as ONNX, for batches of any size.

    Codes become the dense weights that they give; merged networks are really smaller. What was
    written is run by onnxruntime on random batches and compared with torch before the file gets
    its name.

    Args:
        network: On any device; it is not changed.
        path: The new file; an older one is replaced.
        shape: Of one input, as (3, 224, 224).

    Returns:
        Its bytes.

    Raises:
        ConfigError: onnx, onnxscript or onnxruntime is missing, or the network cannot be exported.
        ArtifactError: onnxruntime's outputs differ from torch's by more than 1e-4, relative to the
            largest output where that is above 1.
        StoreError: The file cannot be written.
    """
    _require_packages()
    dense = dense_copy(network).cpu().float().eval()
    with torch.random.fork_rng(devices=[]):
        _require_runs(dense, shape)
        content = _exported(dense, torch.randn(BATCHES[-1], *shape))
        for size in BATCHES:
            _check(dense, content, torch.randn(size, *shape), Path(path).name)
    write_atomic(Path(path), content)
    return len(content)


def _exported(dense: nn.Module, images: torch.Tensor) -> bytes:
    with tempfile.TemporaryDirectory(prefix="clusterpress-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        try:
            torch.onnx.export(
                dense,
                (images,),
                path,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                external_data=False,
                verbose=False,
            )
        except Exception as error:  # Whatever the exporter finds in somebody's forward().
            raise ConfigError(
                f"{type(dense).__name__} cannot be exported: {_first_cause(error)}"
            ) from error
        return path.read_bytes()


def _require_runs(dense: nn.Module, shape: tuple[int, ...]) -> None:
    try:
        with torch.inference_mode():
            outputs = dense(torch.randn(BATCHES[-1], *shape))
    except Exception as error:  # Whatever somebody's forward() raises.
        fits = f"does not take an input of shape {shape}"
        if _takes_one(dense, shape):
            fits = f"takes one input of shape {shape} at a time, a file is for any number"
        raise ConfigError(f"{type(dense).__name__} {fits}: {error}") from error
    if not torch.is_tensor(outputs):
        raise ConfigError(
            f"{type(dense).__name__} gives a {type(outputs).__name__}, it must give one tensor"
        )


def _takes_one(dense: nn.Module, shape: tuple[int, ...]) -> bool:
    try:
        with torch.inference_mode():
            dense(torch.randn(1, *shape))
    except Exception:  # Whatever somebody's forward() raises.
        return False
    return True


def _first_cause(error: BaseException) -> str:
    """Give the first line of what went wrong first."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().split("\n", maxsplit=1)[0]


def _check(dense: nn.Module, content: bytes, images: torch.Tensor, name: str) -> None:
    runtime: Any = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {"images": images.numpy()})
    with torch.inference_mode():
        wanted = dense(images).numpy()
    worst = float(np.abs(given - wanted).max()) / max(1.0, float(np.abs(wanted).max()))
    if not worst <= TOLERANCE:
        raise ArtifactError(
            f"{name} was not written: onnxruntime's outputs differ from torch's by {worst:.1e}, "
            f"at most {TOLERANCE:.0e} is allowed"
        )


def _require_packages() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"exporting needs {', '.join(missing)}: pip install 'clusterpress[onnx]'")
