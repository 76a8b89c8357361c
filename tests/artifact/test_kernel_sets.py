"""Sets of kernels in a file: the codebook once, and whatever a file may claim of it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from clusterpress import ArtifactError
from clusterpress.artifact import load, read, save
from clusterpress.artifact.container import pack, unpack
from clusterpress.codes import Kernels, KernelSet, attach, code_of


class Two(nn.Module):
    """Two sets: three convolutions of 3x3, one of 5x5; and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.wide = nn.Conv2d(4, 3, 5, padding=2)
        self.second = nn.Conv2d(3, 6, 3, padding=1)
        self.third = nn.Conv2d(6, 4, 3, padding=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.third(self.second(self.wide(self.first(images))))
        logits: torch.Tensor = self.fc(features.mean((2, 3)))
        return logits


def clustered(
    transforms: bool = False, scaled: bool = True, dtype: torch.dtype = torch.float32
) -> Two:
    torch.manual_seed(0)
    network = Two().eval()
    sets = {3: KernelSet(torch.randn(4, 9), dtype), 5: KernelSet(torch.randn(3, 25), dtype)}
    for layer in (network.first, network.wide, network.second, network.third):
        shape = tuple(layer.weight.shape)
        shared = sets[shape[2]]
        labels = torch.randint(len(shared.centroids), shape[:2])
        turns = torch.randint(4, shape[:2]) if transforms else None
        scales = torch.randn(shape[:2]) if scaled else torch.empty(0)
        code = Kernels(labels, shared, shape, transforms=turns, scaled=scaled)
        attach(layer, "weight", code, scales)
    return network


KINDS = {
    "plain": clustered,
    "turned": partial(clustered, transforms=True),
    "without scales": partial(clustered, scaled=False),
    "half": partial(clustered, dtype=torch.float16),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_set_comes_back_as_one_parameter(kind: str, tmp_path: Path) -> None:
    network, path = KINDS[kind](), tmp_path / "file"
    ledger = save(network, path)
    loaded = load(path, into=Two()).eval()
    images = torch.randn(3, 2, 7, 7)
    assert torch.equal(network(images), loaded(images))
    codes = {name: code_of(layer) for name, layer in loaded.named_children()}
    assert codes["first"].kernel_set is codes["second"].kernel_set is codes["third"].kernel_set
    assert codes["wide"].kernel_set is not codes["first"].kernel_set
    assert len(list(loaded.parameters())) == len(list(network.parameters()))
    assert sum(row.part == "codebook" for row in ledger.rows) == 2
    assert read(path).ledger == ledger
    assert ledger.file_bytes == path.stat().st_size
    save(loaded, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("layer", ["first", "second"])  # "first" holds the set's codebook.
def test_a_pruned_kernel_comes_back_pruned(layer: str, tmp_path: Path) -> None:
    network = clustered()
    code = code_of(network.get_submodule(layer))
    mask = torch.ones(code.shape[:2], dtype=torch.bool)
    mask[:, 1] = False
    again = Kernels(code.labels, code.kernel_set, code.shape, mask=mask)
    attach(network.get_submodule(layer), "weight", again, torch.randn(code.shape[:2]))
    save(network, tmp_path / "file")
    loaded = load(tmp_path / "file", into=Two())
    assert torch.equal(code_of(loaded.get_submodule(layer)).mask, mask)
    for name in ("first", "second", "third"):
        assert torch.equal(getattr(loaded, name).weight, getattr(network, name).weight)


def shared(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda fields: change(fields["shared"])


def stream(fields: dict[str, Any], name: str, part: str) -> list[Any]:
    return next(row for row in fields["tensors"][name][3:] if row[0] == part)


HOSTILE = {
    "a list": (lambda f: f.update(shared=[]), "shared is not an object"),
    "no such tensor": (shared(lambda s: s.update(ghost="first.weight")), "no such tensor"),
    "no such holder": (shared(lambda s: s.update({"second.weight": "x"})), "is said to be that of"),
    "no name": (shared(lambda s: s.update({"second.weight": 7})), "is said to be that of 7"),
    "itself": (
        shared(lambda s: s.update({"second.weight": "second.weight"})),
        "is said to be that of 'second.weight', which holds none",
    ),
    "one that shares too": (
        shared(lambda s: s.update({"third.weight": "second.weight"})),
        "which holds none",
    ),
    "another size": (
        shared(lambda s: s.update({"second.weight": "wide.weight"})),
        "whose kernels have another size",
    ),
    "a plain tensor": (shared(lambda s: s.update({"fc.weight": "first.weight"})), "shares no"),
    "of a bias": (
        shared(lambda s: s.update({"second.weight": "first.bias"})),
        "is that of a dense tensor",
    ),
    "not said": (shared(lambda s: s.pop("second.weight")), r"lacks parts \['codebook'\]"),
    "said in vain": (
        shared(lambda s: s.update({"wide.weight": "first.weight"})),
        r"has parts \['codebook'\]",
    ),
    "larger alphabet": (
        lambda f: stream(f, "second.weight", "index").__setitem__(2, 5),
        "codebook of tensor 'second.weight': alphabet of index is 5",
    ),
    "fewer scales": (
        lambda f: stream(f, "second.weight", "scale").__setitem__(3, 17),
        "17 values of scale for 18 kernels",
    ),
    "scales of four bytes": (
        lambda f: stream(f, "second.weight", "scale").__setitem__(2, "f4"),
        "scales of 'f4'",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sets_are_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    change, sentence = HOSTILE[name]
    path = tmp_path / "file"
    save(clustered(), path)
    text, payloads = unpack(path.read_bytes())
    fields = json.loads(text)
    change(fields)
    path.write_bytes(pack(json.dumps(fields), payloads))
    for refuse in (read, partial(load, into=Two())):
        with pytest.raises(ArtifactError, match=sentence):
            refuse(path)


def test_a_holder_after_its_sharer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(clustered(), path)
    text, payloads = unpack(path.read_bytes())
    fields = json.loads(text)
    fields["tensors"]["first.weight"] = fields["tensors"].pop("first.weight")
    path.write_bytes(pack(json.dumps(fields), payloads))
    with pytest.raises(ArtifactError, match="comes after it"):
        read(path)


def test_labels_above_the_set_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    network = clustered()
    code_of(network.second).labels[0, 0] = 9
    with pytest.raises(Exception, match="9"):
        save(network, path)
