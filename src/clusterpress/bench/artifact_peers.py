"""The same dequantised network in other files: how many bytes each takes."""

import io
import lzma
import os
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save as to_safetensors
from torch import nn

from clusterpress.artifact import Ledger, han2016_huffman_bytes
from clusterpress.bench.artifact_networks import signed_ranks
from clusterpress.codes import dense_copy

# An interpreter that has nncodec, which needs numpy < 2.
NNCODEC = "CLUSTERPRESS_NNCODEC"
_CHILD = """
import sys
import numpy as np
import torch
library = torch.library.Library("torchvision", "FRAGMENT")
for text in ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
             "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"):
    try:
        library.define(text)
    except RuntimeError:
        pass
from nncodec.nnc import compress, decompress
tensors = dict(np.load(sys.argv[1]))
settings = {"qp": int(sys.argv[3])} if len(sys.argv) > 3 else {}
compress(dict(tensors), bitstream_path=sys.argv[2], verbose=False, **settings)
back = decompress(sys.argv[2], verbose=False)
if settings:
    np.savez(sys.argv[1], **back)
else:
    sys.exit(not all(np.array_equal(back[name], tensors[name]) for name in tensors))
"""
State = dict[str, torch.Tensor]
Arrays = dict[str, npt.NDArray[Any]]


def dense_state(network: nn.Module) -> State:
    """Give the dequantised network's tensors."""
    return {name: each.contiguous() for name, each in dense_copy(network).state_dict().items()}


def _zip(state: State) -> int:
    stream = io.BytesIO()
    torch.save(state, stream)
    return len(zlib.compress(stream.getvalue(), 6))


def _xz(state: State) -> int:
    return len(lzma.compress(to_safetensors(state), preset=6))


def _zstd(data: bytes) -> int:
    import zstandard

    return len(zstandard.ZstdCompressor(level=19).compress(data))


def _onnx(state: State) -> int:
    """Size of the initialisers in ONNX's own layout; the graph itself is left out."""
    from onnx import helper, numpy_helper

    held = [numpy_helper.from_array(each.numpy(), name) for name, each in state.items()]
    graph = helper.make_graph([], "network", [], [], initializer=held)
    return _zstd(helper.make_model(graph).SerializeToString())


PEERS: dict[str, Callable[[State], int]] = {
    "torch.save + zip": _zip,
    "safetensors + zstd -19": lambda state: _zstd(to_safetensors(state)),
    "safetensors + xz": _xz,
    "ONNX initialisers + zstd -19": _onnx,
}


def size_of(peer: Callable[[State], int], state: State) -> int | None:
    """Give a peer's size; None where its package is missing."""
    try:
        return peer(state)
    except ImportError:
        return None


def rest_bytes(ledger: Ledger) -> int:
    """Give the plain bytes of all that is no weight: biases, norms and their buffers."""
    return sum(row.fixed_bits // 8 for row in ledger.rows if row.part in ("bias", "norm"))


def deep_compression(ledger: Ledger) -> int:
    """Size by Han et al. 2016: Huffman-coded indices and relative positions, no tables counted."""
    return han2016_huffman_bytes(ledger) + rest_bytes(ledger)


def nncodec(network: nn.Module, ledger: Ledger) -> int | None:
    """Size by NNCodec (ISO/IEC 15938-17): ranks of the values without loss; None where missing.

    Codebooks, biases and norms, which it would round, are counted as they are.
    """
    done = _by_nncodec(dict(signed_ranks(network)))
    if done is None:
        return None
    books = sum(row.fixed_bits // 8 for row in ledger.rows if row.part == "codebook")
    return done[0] + books + rest_bytes(ledger)


def nncodec_untrained(network: nn.Module, qp: int) -> tuple[int, nn.Module] | None:
    """Let NNCodec quantise a plain network's floats at a step, its other knobs as they are.

    Returns:
        Bytes of its file, and the network that it gives back; None where it is missing.
    """
    state = {name: each.detach().numpy() for name, each in network.state_dict().items()}
    floats = {name: each for name, each in state.items() if each.dtype == np.float32}
    done = _by_nncodec(floats, qp)
    if done is None:
        return None
    size, back = done
    given = {name: torch.from_numpy(each) for name, each in back.items()}
    copy = deepcopy(network)
    copy.load_state_dict({**network.state_dict(), **given})
    return size, copy


def _by_nncodec(tensors: Arrays, qp: int | None = None) -> tuple[int, Arrays] | None:
    """Give the bytes of NNCodec's file, and the tensors that it gives back."""
    python = os.environ.get(NNCODEC)
    if not python or not Path(python).is_file():
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "tensors.npz", Path(folder) / "file.nnc"
        with source.open("wb") as file:
            np.savez(file, **tensors)  # type: ignore[arg-type]
        command = [python, "-c", _CHILD, str(source), str(target)]
        command += [] if qp is None else [str(qp)]
        subprocess.run(command, check=True, capture_output=True)
        return target.stat().st_size, dict(np.load(source))
