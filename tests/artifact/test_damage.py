"""Damaged and hostile files give one clear error, before memory is taken."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors
from safetensors.numpy import save_file
from torch import nn

from clusterpress import ArtifactError
from clusterpress.artifact import load, read, save
from clusterpress.artifact.container import DIGEST, pack, unpack

from .networks import Small, mixed_network, shared


def tiny(folder: Path) -> Path:
    network = nn.Sequential(nn.Linear(4, 3))
    shared(network[0], 4, 0.6)
    path = folder / "tiny"
    save(network, path)
    return path


def test_every_flipped_byte_is_detected(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ArtifactError, match="tiny"):
            read(path)


def test_every_truncation_and_any_extension_is_detected(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    data = path.read_bytes()
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(ArtifactError):
            load(path, into=nn.Sequential(nn.Linear(4, 3)))
    path.write_bytes(data + b"\0")
    with pytest.raises(ArtifactError):
        read(path)


def test_a_missing_file_and_a_folder_are_artifact_errors(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="There is no artifact"):
        read(tmp_path / "nothing")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read(tmp_path)


def test_the_digest_is_the_last_bytes_of_the_file(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    data = path.read_bytes()
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()
    with safe_open(path, "np") as file:
        assert file.get_tensor(DIGEST).tobytes() == data[-32:]


def test_another_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "other")
    with pytest.raises(ArtifactError, match="digest"):
        read(tmp_path / "other")


def test_a_digest_in_the_middle_is_refused(tmp_path: Path) -> None:
    body = to_safetensors(
        {DIGEST: np.zeros(32, np.uint8), "~~": np.zeros(40, np.uint8)},
        metadata={"clusterpress": "{}"},
    )[:-32]
    (tmp_path / "middle").write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(ArtifactError, match="digest"):
        read(tmp_path / "middle")


def row(fields: dict[str, Any], name: str = "ip1.weight") -> list[Any]:
    found: list[Any] = fields["tensors"][name]
    return found


def put(place: tuple[int, ...], value: object) -> Callable[[dict[str, Any]], None]:
    def change(fields: dict[str, Any]) -> None:
        target = row(fields)
        for step in place[:-1]:
            target = target[step]
        target[place[-1]] = value

    return change


def top(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.update({key: value})


# A row is [layer type, kind, shape, position, index, codebook],
# a stream [part, coder, alphabet or dtype, count, bytes].
HOSTILE = {
    "version": (top("version", 2), "version is 2"),
    "no version": (lambda fields: fields.pop("version"), "version is None"),
    "unknown key": (top("pickle", "x"), "pickle"),
    "tensors": (top("tensors", []), "tensors is not an object"),
    "architecture": (top("architecture", {"name": "x", "args": {"n": 10**12}}), "argument 'n'"),
    "position bits": (top("position_bits", 99), "position_bits"),
    "reference": (top("reference", {"ip1.weight": -4}), "reference of"),
    "layer type": (put((0,), "rnn"), "layer type 'rnn'"),
    "kind": (put((1,), "pickled"), "unknown code 'pickled'"),
    "huge shape": (put((2,), [10**6, 10**6]), "ip1.weight"),
    "huge size": (put((2,), [10**30, 1]), "shape of tensor 'ip1.weight'"),
    "negative shape": (put((2,), [-12, -64]), "shape of tensor 'ip1.weight'"),
    "fractional shape": (put((2,), [12.0, 64]), "shape of tensor 'ip1.weight'"),
    "other shape": (put((2,), [12, 65]), "mask of 780 weights"),
    "many dimensions": (put((2,), [1] * 50), "no valid shape"),
    "part": (put((3, 0), "exec"), "unknown part 'exec'"),
    "coder": (put((3, 1), "pickle"), "unknown coder 'pickle'"),
    "coder list": (put((3, 1), ["ans"]), "unknown coder"),
    "coder of another part": (put((4, 1), "raw"), "cannot be coded as 'raw'"),
    "alphabet": (put((4, 2), 10**40), "alphabet of index"),
    "negative alphabet": (put((4, 2), -1), "alphabet of index"),
    "smaller alphabet": (put((4, 2), 15), "index"),
    "dtype": (put((5, 2), "O8"), "unknown dtype 'O8'"),
    "integer codebook": (put((5, 2), "i4"), "must hold floats"),
    "more symbols": (put((4, 3), 10**8), "symbols for 768 weights"),
    "negative count": (put((4, 3), -1), "count of index"),
    "fewer symbols": (put((4, 3), 3), "index"),
    "longer codebook": (put((5, 3), 17), "codebook"),
    "bytes": (put((5, 4), 10**9), "bytes instead of"),
    "part twice": (put((4,), ["position", "grid", 2, 768, 0]), "part twice"),
    "missing stream": (lambda fields: row(fields).pop(), "bytes instead of"),
    "short stream": (put((4,), ["index", "ans"]), "list of 5"),
    "other tensor": (lambda f: f["tensors"].update(x=f["tensors"].pop("ip1.bias")), "differ in"),
    "plain weight": (put((1,), "dense"), "is plain"),
    "another code": (put((1,), "masked"), "make no 'masked' code"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_directories_are_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    change, sentence = HOSTILE[name]
    path = tmp_path / "file"
    save(mixed_network(), path)
    text, payloads = unpack(path.read_bytes())
    fields = json.loads(text)
    change(fields)
    path.write_bytes(pack(json.dumps(fields), payloads))
    with pytest.raises(ArtifactError, match=sentence):
        read(path)
    with pytest.raises(ArtifactError):
        load(path, into=Small())


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", "[" * 100_000, '{"version":1}', "1" * 9999]
)
def test_directories_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(pack(text, {}))
    with pytest.raises(ArtifactError):
        read(tmp_path / "file")


def test_wild_payloads_under_a_true_digest_never_crash(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(mixed_network(), path)
    text, payloads = unpack(path.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(60):
        wild = {
            name: bytes(rng.integers(0, 256, len(data), np.uint8))
            for name, data in payloads.items()
        }
        path.write_bytes(pack(text, payloads | {"ip1.weight": wild["ip1.weight"]}))
        with suppress(ArtifactError):
            load(path, into=Small())
