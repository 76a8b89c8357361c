"""Whatever is done to a file, it is refused in one sentence: properties over random damage."""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from clusterpress import ArtifactError, ConfigError
from clusterpress.artifact import load, read, read_kernels, save
from clusterpress.artifact.container import BODY, DIGEST, pack, unpack
from clusterpress.artifact.limits import FREE_ELEMENTS, MAX_ELEMENTS
from clusterpress.models import MODELS

from .networks import NETWORKS, Small
from .test_kernel_sets import Two, clustered

FILES: dict[str, tuple[Callable[[], nn.Module], type[nn.Module]]] = {
    **{name: (make, Small) for name, make in NETWORKS.items()},
    "kernels": (lambda: clustered(transforms=True), Two),
}
names = st.sampled_from(sorted(FILES))
examples = settings(max_examples=40, deadline=None)


@cache
def whole(name: str) -> bytes:
    with TemporaryDirectory() as folder:
        save(FILES[name][0](), Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()


def sealed(body: bytes) -> bytes:
    return body + hashlib.sha256(body).digest()


def is_whole(data: bytes, name: str) -> bool:
    """Whether a file is read; if so, also as a network that is saved and read again the same."""
    with TemporaryDirectory() as folder:
        path, again = Path(folder) / "file", Path(folder) / "again"
        path.write_bytes(data)
        try:
            network = load(path, into=FILES[name][1]())
        except ArtifactError:
            return False
        save(network, again)
        back = load(again, into=FILES[name][1]()).state_dict()
        return all(torch.equal(value, back[key]) for key, value in network.state_dict().items())


def refused(data: bytes, name: str, *, only_load: bool = False) -> None:
    """Check that every reader refuses, in one line that names the file and ends as a sentence."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        readers: list[Callable[[], object]] = [lambda: load(path, into=FILES[name][1]())]
        for refuse in (
            readers if only_load else [*readers, lambda: read(path), lambda: read_kernels(path)]
        ):
            with pytest.raises(ArtifactError) as error:
                refuse()
            text = str(error.value)
            assert str(path) in text
            assert text.endswith(".")
            assert "\n" not in text


@examples
@given(names, st.data())
def test_any_flipped_bit(name: str, data: st.DataObject) -> None:
    wrong = bytearray(whole(name))
    bit = data.draw(st.integers(0, 8 * len(wrong) - 1))
    wrong[bit // 8] ^= 1 << bit % 8
    refused(bytes(wrong), name)


@examples
@given(names, st.data())
def test_any_cut_also_under_a_true_digest(name: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(whole(name)) - 1))
    refused(whole(name)[:end], name)
    refused(sealed(whole(name)[: min(end, len(whole(name)) - 33)]), name)


@examples
@given(names, st.data())
def test_bytes_put_in_anywhere_under_a_true_digest(name: str, data: st.DataObject) -> None:
    body = whole(name)[:-32]
    place = data.draw(st.integers(8 + int.from_bytes(body[:8], "little"), len(body)))
    refused(sealed(body[:place] + data.draw(st.binary(min_size=1)) + body[place:]), name)


def streams(fields: dict[str, Any]) -> list[list[Any]]:
    return [stream for row in fields["tensors"].values() for stream in row[3:]]


def directory(name: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    text, payloads = unpack(whole(name))
    return json.loads(text), payloads


@examples
@given(names, st.data(), st.sampled_from([3, 4]), st.integers(0, 1 << 40))
def test_lengths_that_lie(name: str, data: st.DataObject, place: int, number: int) -> None:
    fields, payloads = directory(name)
    # A stream in a lane has no bytes of its own to lie about.
    able = [one for one in streams(fields) if len(one) > place]
    if not able:
        return
    stream = data.draw(st.sampled_from(able))
    if stream[place] != number:
        stream[place] = number
        refused(pack(json.dumps(fields), payloads), name, only_load=place == 3)


@examples
@given(names, st.data(), st.integers(0, 1 << 40))
def test_alphabets_that_lie(name: str, data: st.DataObject, number: int) -> None:
    fields, payloads = directory(name)
    coded = [one for one in streams(fields) if one[0] in ("index", "position")]
    if not coded:
        return
    stream = data.draw(st.sampled_from(coded))
    if stream[2] != number:
        stream[2] = number
        refused(pack(json.dumps(fields), payloads), name, only_load=True)


@examples
@given(names, st.data(), st.integers(0, MAX_ELEMENTS + 1))
def test_shapes_that_lie(name: str, data: st.DataObject, number: int) -> None:
    fields, payloads = directory(name)
    # A hash makes weights of any shape, and a linear layer may have lost some of its inputs.
    rows = [row for row in fields["tensors"].values() if row[2] and row[1] != "hashed"]
    shape = data.draw(st.sampled_from(rows))[2]
    place = data.draw(st.integers(0, len(shape) - 1))
    if shape[place] != number:
        shape[place] = number
        refused(pack(json.dumps(fields), payloads), name, only_load=True)


@examples
@given(names, st.data())
def test_a_stream_twice_or_gone(name: str, data: st.DataObject) -> None:
    fields, payloads = directory(name)
    row = data.draw(st.sampled_from(list(fields["tensors"].values())))
    place = data.draw(st.integers(3, len(row) - 1))
    instead = data.draw(st.sampled_from([[], [row[place], row[place]]]))
    # Kernels need neither scales nor turns: without them a lane holds other numbers, and by
    # chance ends where it should. The file is then whole, and of the network that it says.
    other = row[1] == "kernels" and row[place][0] in ("scale", "transform") and not instead
    row[place : place + 1] = instead
    damaged = pack(json.dumps(fields), payloads)
    if not (other and is_whole(damaged, name)):
        refused(damaged, name)


def moved_tensors(header: dict[str, Any]) -> Iterator[str]:
    """Yield headers whose tensors overlap, leave a gap, or run past the end."""
    first, second = BODY, DIGEST
    own = {name: header[name]["data_offsets"] for name in (first, second)}
    for name, shift in ((second, -1), (second, 1), (first, 1), (first, -1), (first, 10**6)):
        begin, end = own[name]
        moved = {**header[name], "data_offsets": [begin + shift, end + shift]}
        yield json.dumps(header | {name: moved})
    yield json.dumps(header | {second: header[first]})


def test_tensors_that_overlap_or_leave_gaps(tmp_path: Path) -> None:
    save(nn.Linear(3, 2), tmp_path / "file")
    data = (tmp_path / "file").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for text in moved_tensors(json.loads(data[8:start])):
        wrong = len(text).to_bytes(8, "little") + text.encode() + data[start:-32]
        (tmp_path / "file").write_bytes(sealed(wrong))
        with pytest.raises(ArtifactError, match="it is not a safetensors file"):
            load(tmp_path / "file", into=nn.Linear(3, 2))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@examples
@given(names, json_values, st.data())
def test_any_json_in_any_place(name: str, value: Any, data: st.DataObject) -> None:
    fields, payloads = directory(name)
    row = data.draw(st.sampled_from(list(fields["tensors"].values())))
    holder = data.draw(st.sampled_from([fields, fields["tensors"], row, row[3]]))
    key = data.draw(
        st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder)))
    )
    if holder[key] == value or key == "position_bits":
        return
    holder[key] = value
    refused(pack(json.dumps(fields), payloads), name, only_load=True)


@examples
@given(
    st.text(max_size=70) | json_values,
    json_values | st.dictionaries(st.text(max_size=9), json_values),
)
def test_architectures_that_are_none(name: Any, arguments: Any) -> None:
    fields, payloads = directory("dense")
    fields["architecture"] = {"name": name, "args": arguments}
    if isinstance(name, str) and name in MODELS:
        return
    with TemporaryDirectory() as folder:
        (Path(folder) / "file").write_bytes(pack(json.dumps(fields), payloads))
        with pytest.raises(ArtifactError):
            load(Path(folder) / "file")


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize(
    "args", [{"classes": 65536}, {"channels": 0}, {"linears": 65536}, {"x": 1}]
)
def test_known_architectures_that_the_file_is_not_of(
    name: str, args: dict[str, int], tmp_path: Path
) -> None:
    fields, payloads = directory("dense")
    fields["architecture"] = {"name": name, "args": args}
    (tmp_path / "file").write_bytes(pack(json.dumps(fields), payloads))
    with pytest.raises(ArtifactError):
        load(tmp_path / "file")


BOMBS = {
    "hashed": [["codebook", "raw", "f4", 1, 4], ["transform", "constant", 1 << 16, 1, 0]],
    "ternary": [["index", "constant", 3, 0, 0], ["scale", "raw", "f4", 2, 8]],
    "quantized": [
        ["index", "constant", 2, 0, 0],
        ["scale", "raw", "f4", 1, 4],
        ["transform", "constant", 256, 2, 1],
    ],
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_few_bytes_that_claim_gigabytes(kind: str, tmp_path: Path) -> None:
    rows, columns = 1 << 14, 1 << 14
    bomb = [list(stream) for stream in BOMBS[kind]]
    if bomb[0][0] == "index":
        bomb[0][3] = rows * columns
    tensors = {"weight": ["fc", kind, [rows, columns], *bomb]}
    text = json.dumps({"version": 1, "position_bits": 5, "tensors": tensors})
    payload = bytes(sum(stream[4] for stream in bomb))
    (tmp_path / "file").write_bytes(pack(text, {"weight": payload}))
    assert rows * columns > FREE_ELEMENTS
    for reader in (read, read_kernels):
        with pytest.raises(ArtifactError, match="elements, at most"):
            reader(tmp_path / "file")
    with pytest.raises(ArtifactError, match="more than the network's"):
        load(tmp_path / "file", into=nn.Linear(64, 64, bias=False))
    with pytest.raises(ConfigError, match="records no architecture"):
        load(tmp_path / "file")
