"""Damaged and hostile files give one clear error, before memory is taken."""

import hashlib
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors
from safetensors.numpy import save_file
from torch import nn

from clusterpress import ArtifactError, ConfigError
from clusterpress.artifact import encode, load, packing, read, save
from clusterpress.artifact.container import BODY, DIGEST, pack, unpack
from clusterpress.artifact.content import TensorContent, contents
from clusterpress.artifact.lane_plan import LANE
from clusterpress.artifact.limits import FREE_ELEMENTS
from clusterpress.codes import original_of

from .networks import Small, block_network, mixed_network, shared, signed_network


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


def half(count: int) -> list[Any]:
    return ["bias", "mixed", "f2", count]


# A row is [layer type, kind, shape, position, index, codebook],
# a stream [part, coder, alphabet or dtype, count], and its bytes where it is in no lane.
HOSTILE = {
    "version": (top("version", 3), "version is 3"),
    "no version": (lambda fields: fields.pop("version"), "version is None"),
    "unknown key": (top("pickle", "x"), "pickle"),
    "tensors": (top("tensors", []), "tensors is not an object"),
    "architecture": (top("architecture", {"name": "x", "args": {"n": 10**12}}), "argument 'n'"),
    "position bits": (top("position_bits", 99), "position_bits"),
    "reference": (top("reference", {"ip1.weight": -4}), "reference of"),
    "mask after what it masks": (
        lambda f: row(f).insert(4, row(f).pop(3)),
        "index comes before the mask",
    ),
    "tied to itself": (top("tied", {"ip1.bias": "ip1.bias"}), "has parts of its own"),
    "tied to nothing": (top("tied", {"x.weight": "y.weight"}), "which is no plain tensor"),
    "tied to a list": (top("tied", {"x.weight": ["ip1.bias"]}), "which is no plain tensor"),
    "tied to a code": (top("tied", {"x.weight": "ip1.weight"}), "which is no plain tensor"),
    "cast to whole numbers": (top("casts", {"ip1.weight": "i4"}), "is cast to 'i4'"),
    "cast to a list": (top("casts", {"ip1.weight": ["f2"]}), "is cast to"),
    "cast of a plain tensor": (top("casts", {"ip1.bias": "f2"}), "no code of that name"),
    "cast beside a bias": (top("casts", {"ip1.weight": "f2"}), "stands beside a weight"),
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
    "coder of another part": (put((4,), ["index", "raw", 16, 9, 9]), "as 'raw'"),
    "alphabet": (put((4, 2), 10**40), "alphabet of index"),
    "negative alphabet": (put((4, 2), -1), "alphabet of index"),
    "smaller alphabet": (put((4, 2), 15), "index"),
    "dtype": (put((5, 2), "O8"), "unknown dtype 'O8'"),
    "integer codebook": (put((5, 2), "i4"), "must hold floats"),
    "more symbols": (put((4, 3), 10**8), "symbols for 768 weights"),
    "negative count": (put((4, 3), -1), "count of index"),
    "fewer symbols": (put((4, 3), 3), "index"),
    "longer codebook": (put((5, 3), 17), "codebook"),
    "bytes": (put((5,), ["codebook", "raw", "f4", 16, 10**9]), "bytes instead of"),
    "bytes of a lane": (top("lanes", [10**9]), "bytes instead of"),
    "more lanes": (top("lanes", [0, 0, 0]), "3 lanes instead of 1"),
    "negative lane": (top("lanes", [-1]), "bytes of a lane"),
    "lanes": (top("lanes", 7), "lanes is not a list"),
    "part twice": (put((4,), ["position", "mixed", 2, 768]), "part twice"),
    "missing stream": (lambda fields: row(fields).pop(), r"lacks parts \['codebook'\]"),
    "stream of another code": (
        lambda fields: row(fields).append(["scale", "mixed", "f4", 0]),
        r"has parts \['scale'\]",
    ),
    "alphabet above the codebook": (put((4, 2), 1 << 15), "its codebook has 16"),
    "alphabet above all": (put((4, 2), 1 << 24), "from 2 to 65536"),
    "codebook above its bytes": (put((5, 3), 1 << 24), "its codebook has 16777216"),
    "wide transform": (
        lambda fields: row(fields).append(["transform", "mixed", 1 << 20, 0]),
        "alphabet of transform",
    ),
    "wide codebook": (lambda f: row(f).__setitem__(5, ["codebook", "mixed", "f8", 16]), "'f8'"),
    "weight as bias": (lambda f: row(f, "norm.bias").__setitem__(1, "masked"), "lacks parts"),
    "weight's part": (
        lambda fields: row(fields, "ip1.bias")[3].__setitem__(0, "dense"),
        "'ip1.bias' is declared part 'dense'",
    ),
    "buffer's part": (
        lambda fields: row(fields, "norm.running_mean")[3].__setitem__(0, "bias"),
        "declared part 'bias'",
    ),
    "bias of another dtype": (
        lambda f: f["tensors"].update({"ip1.bias": ["fc", "dense", [12], half(12)]}),
        "'ip1.bias' of dtype 'f2' stands beside a weight of dtype 'f4'",
    ),
    "bias of another size": (
        lambda f: f["tensors"].update({"ip1.bias": ["fc", "dense", [24], half(24)]}),
        r"shape \(24,\)\) does not fit its layer's weight",
    ),
    "bias of another layer type": (
        lambda fields: row(fields, "ip1.bias").__setitem__(0, "conv"),
        "does not fit its layer's weight",
    ),
    "flat weight": (put((2,), [768]), "is no weight of a layer 'fc'"),
    "short stream": (put((4,), ["index", "ans"]), "list of 5"),
    "lane coder of its own bytes": (put((4,), ["index", "mixed", 16, 1, 1]), "is a list of 5"),
    "no lane": (put((4,), ["index", "ans", 16, 1]), "is a list of 4"),
    "plain weight": (put((1,), "dense"), "is plain"),
    "another code": (put((1,), "masked"), r"lacks parts \['dense'\]"),
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
    for refuse in (read, partial(load, into=Small())):
        tracemalloc.start()
        with pytest.raises(ArtifactError, match=sentence):
            refuse(path)
        # What a lane learns is in tables of zeros, which take no memory until they are touched.
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
        tracemalloc.stop()


def stream(tensor: str, part: str, place: int, value: object) -> Callable[[dict[str, Any]], None]:
    """Change one field of one stream of a tensor."""

    def change(fields: dict[str, Any]) -> None:
        (found,) = (one for one in fields["tensors"][tensor][3:] if one[0] == part)
        found[place] = value

    return change


HOSTILE_FORMS = {
    "alphabet of a sign": (signed_network, stream("conv.weight", "index", 2, 4), "no binary"),
    "huge alphabet": (signed_network, stream("ip1.weight", "index", 2, 1 << 28), "from 2 to 65536"),
    "huge levels": (signed_network, stream("ip2.weight", "index", 2, 1 << 28), "from 2 to 65536"),
    "rows of blocks": (block_network, stream("ip1.weight", "index", 2, 1 << 28), "from 2 to 65536"),
    "blocks": (block_network, stream("ip1.weight", "index", 3, 191), "191 blocks do not divide"),
    "seeds": (block_network, stream("ip2.weight", "transform", 3, 2), "one seed"),
    "no scale": (signed_network, lambda f: row(f, "conv.weight").pop(), "lacks parts"),
}


@pytest.mark.parametrize("name", HOSTILE_FORMS)
def test_hostile_forms_are_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    network, change, sentence = HOSTILE_FORMS[name]
    path = tmp_path / "file"
    save(network(), path)
    text, payloads = unpack(path.read_bytes())
    fields = json.loads(text)
    change(fields)
    path.write_bytes(pack(json.dumps(fields), payloads))
    for refuse in (read, partial(load, into=Small())):
        with pytest.raises(ArtifactError, match=sentence):
            refuse(path)


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
    body = np.frombuffer(payloads[BODY], np.uint8)
    for number in range(60):
        wild = body.copy()
        wild[rng.integers(body.size - number)] ^= rng.integers(1, 256, dtype=np.uint8)
        wild[body.size - number :] = rng.integers(0, 256, number, np.uint8)
        path.write_bytes(pack(text, {BODY: wild.tobytes()}))
        with suppress(ArtifactError):
            load(path, into=Small())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("network", "name", "part"),
    [(mixed_network, "ip1.weight", "codebook"), (signed_network, "conv.weight", "scale")],
)
def test_values_that_many_weights_share_are_finite(
    network: Callable[[], nn.Module],
    name: str,
    part: str,
    value: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, wrong = tmp_path / "file", network()
    layer = wrong.get_submodule(name.removesuffix(".weight"))
    original_of(layer).data[-1] = value
    with monkeypatch.context() as careless:
        careless.setattr(packing, "check_finite", lambda _: None)
        save(wrong, path)
    for refuse in (read, partial(load, into=Small())):
        with pytest.raises(
            ArtifactError, match=rf"{part} of tensor '{name}': values that are not finite"
        ):
            refuse(path)


def test_a_codebook_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    network = mixed_network()
    network.ip2.parametrizations.weight.original.data[1] = 1e6  # Infinite in float16.
    with pytest.raises(ConfigError, match=r"'ip2.weight' has values that are not finite \(1 of"):
        save(network, tmp_path / "file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("network", "name", "transform", "sentence"),
    [
        (block_network, "ip1.weight", [0], "alphabet of 5, by its transform it is 80"),
        (signed_network, "ip2.weight", [16, 1], "alphabet of 15, by its transform it is 17"),
    ],
)
def test_an_alphabet_that_the_transform_contradicts_is_refused(
    network: Callable[[], nn.Module],
    name: str,
    transform: list[int],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lying(network: nn.Module) -> list[TensorContent]:
        return [_with_transform(one, name, transform) for one in contents(network)]

    path = tmp_path / "file"
    monkeypatch.setattr(encode, "contents", lying)
    save(network(), path)
    with pytest.raises(ArtifactError, match=sentence):
        load(path, into=Small())


def _with_transform(content: TensorContent, name: str, transform: list[int]) -> TensorContent:
    if content.name != name:
        return content
    streams = [
        replace(one, values=np.array(transform)) if one.part == "transform" else one
        for one in content.streams
    ]
    return replace(content, streams=tuple(streams))


def test_a_refusal_is_short_however_long_the_names_are(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    text, payloads = unpack(path.read_bytes())
    path.write_bytes(pack(text.replace('"shared"', f'"{"s" * 100_000}"'), payloads))
    with pytest.raises(ArtifactError) as refused:
        read(path)
    assert len(str(refused.value)) < 1000


def test_keys_that_are_there_twice_are_refused(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    text, payloads = unpack(path.read_bytes())
    for twice in (text.replace("{", '{"version":1,', 1), text.replace('"0.bias"', '"0.weight"')):
        path.write_bytes(pack(twice, payloads))
        with pytest.raises(ArtifactError, match="is there twice"):
            read(path)


@pytest.mark.parametrize(
    ("directory", "digests"),
    [('"clusterpress":"{}"', 2), ('"clusterpress":"{}","clusterpress":"[]"', 1)],
)
def test_the_container_says_everything_once_too(directory: str, digests: int) -> None:
    digest = f',"{DIGEST}":{{"dtype":"U8","shape":[32],"data_offsets":[0,32]}}'
    header = f'{{"__metadata__":{{{directory}}}{digest * digests}}}'.encode()
    body = len(header).to_bytes(8, "little") + header
    with pytest.raises(ValueError, match="is there twice"):
        unpack(body + hashlib.sha256(body).digest())


def test_what_reading_finds_without_rebuilding(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    text, payloads = unpack(path.read_bytes())
    fields = json.loads(text)
    fields["tensors"]["0.weight"][4][3] += 1
    path.write_bytes(pack(json.dumps(fields), payloads))
    kept = fields["tensors"]["0.weight"][4][3] - 1
    with pytest.raises(ArtifactError, match=f"for a mask that keeps {kept}"):
        read(path)


def claim(streams: list[list[Any]], rows: int, columns: int, payload: bytes, **more: Any) -> bytes:
    """A file of version 1, of one bias-free linear layer that says it is huge."""
    kind = "masked" if streams[0][0] == "position" else "shared"
    tensors = {"weight": ["fc", kind, [rows, columns], *streams]}
    directory = {"version": 1, "position_bits": 5, "tensors": tensors, **more}
    return pack(json.dumps(directory), {"weight": payload})


def lanes(streams: list[list[Any]]) -> bytes:
    """A file of version 2 whose lanes have no bytes: zeros, as far as anyone reads."""
    kind, low = ("masked", 0) if streams[0][0] == "position" else ("shared", 4)
    elements = streams[0][3]
    tensors = {"weight": ["fc", kind, [4, elements // 4], *streams]}
    count = max(1, -(-elements // LANE))
    fields = {"version": 2, "position_bits": 5, "tensors": tensors, "lanes": [0] * count}
    return pack(json.dumps(fields), {BODY: bytes(low)})


MANY = 1 << 24


def claims(elements: int) -> dict[str, bytes]:
    """Files of a few hundred bytes that claim ``elements``, by each coder that can."""
    nothing, book = ["dense", "raw", "f4", 0, 0], ["codebook", "raw", "f4", 2, 8]
    width, floats = elements // 4, bytes(8)
    ans = b"\xff\x01"
    grid = b"\x01\x01\x01"
    wide = {"name": "lenet300_100", "args": {"channels": 1 << 16}}
    index = ["index", "constant", 2, elements, 0]
    return {
        "constant mask": claim([["position", "constant", 2, elements, 0], nothing], 4, width, b""),
        "constant index": claim([index, book], 4, width, floats),
        "ans index": claim([["index", "ans", 2, elements, 2], book], 4, width, ans + floats),
        "grid mask": claim([["position", "grid", 2, elements, 3], nothing], 1, elements, grid),
        "architecture": claim([index, book], 4, width, floats, architecture=wide),
        "lane index": lanes([["index", "mixed", 2, elements], ["codebook", "mixed", "f4", 2]]),
        "lane mask": lanes([["position", "fast", 2, elements], ["dense", "mixed", "f4", 0]]),
    }


@pytest.mark.parametrize("name", claims(4))
def test_small_files_that_claim_much_are_refused_before_memory_is_taken(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(claims(MANY)[name])
    assert path.stat().st_size < 800
    for refuse in (read, load, partial(load, into=nn.Linear(64, 4, bias=False))):
        with pytest.raises((ArtifactError, ConfigError)):
            refuse(path)  # What it imports is no memory that the file takes.
        tracemalloc.start()
        with pytest.raises((ArtifactError, ConfigError), match=r"at most|more than|records no"):
            refuse(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


MEASURED = """
import sys
from pathlib import Path
from clusterpress import ClusterpressError
from clusterpress.artifact import load, read
from clusterpress.codes import Shared
from clusterpress.memory import peak_memory_bytes
from clusterpress.models import MODELS
before = peak_memory_bytes()
for path in sorted(Path(sys.argv[1]).iterdir()):
    for take in (read, load):
        try:
            take(path)
        except ClusterpressError as error:
            pass
print((peak_memory_bytes() - before) // 2**20)
"""


def test_the_most_that_small_files_may_claim_takes_tens_of_megabytes(tmp_path: Path) -> None:
    """Measured as the system sees it, in a process of its own: refused files and allowed ones."""
    for elements in (FREE_ELEMENTS, MANY):
        for name, data in claims(elements).items():
            (tmp_path / f"{name} {elements}").write_bytes(data)
    command = [sys.executable, "-c", MEASURED, str(tmp_path)]
    grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(grown) < 150


def test_a_recorded_network_of_another_size_is_not_built(tmp_path: Path) -> None:
    wide = {"name": "lenet300_100", "args": {"channels": 1 << 16}}
    data = claim(
        [["index", "constant", 1, 16, 0], ["codebook", "raw", "f4", 1, 4]],
        4,
        4,
        bytes(4),
        architecture=wide,
    )
    (tmp_path / "file").write_bytes(data)
    read(tmp_path / "file")
    with pytest.raises(ArtifactError, match="recorded architecture has 15"):
        load(tmp_path / "file")


def test_a_file_larger_than_the_network_is_refused(tmp_path: Path) -> None:
    save(nn.Sequential(nn.Linear(5, 5)), tmp_path / "file")
    small = nn.Sequential(nn.Linear(5, 4))
    with pytest.raises(ArtifactError, match="30 elements, more than the network's 24"):
        load(tmp_path / "file", into=small)
    assert small[0].weight.shape == (4, 5)
