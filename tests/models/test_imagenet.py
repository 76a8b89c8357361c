"""torchvision's networks under the constructors and names that all models here have."""

import io
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from clusterpress import artifact
from clusterpress.errors import ConfigError
from clusterpress.models import MODELS, TorchvisionResNet18
from clusterpress.models.checkpoints import load_weights, sha256_of
from clusterpress.models.published import file_name, load_published, published

COUNTS = {
    "torchvision_alexnet": 61_100_840,
    "torchvision_vgg16": 138_357_544,
    "torchvision_vgg16_bn": 138_365_992,
    "torchvision_resnet18": 11_689_512,
}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_parameters_are_torchvisions_by_number_name_and_shape(name: str, count: int) -> None:
    with torch.device("meta"):
        ours, theirs = MODELS[name](), getattr(models, name.removeprefix("torchvision_"))()
    assert sum(parameter.numel() for parameter in ours.parameters()) == count
    shapes = [
        {key: value.shape for key, value in net.state_dict().items()} for net in (ours, theirs)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", COUNTS)
def test_sizes_are_checked(name: str) -> None:
    for bad in ({"classes": 0}, {"channels": 1}):
        with pytest.raises(ConfigError, match=next(iter(bad))), torch.device("meta"):
            MODELS[name](**bad)


def test_a_resnet18_computes_what_torchvisions_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs, path = models.resnet18(num_classes=7).eval(), tmp_path / "theirs.safetensors"
    save_file(theirs.state_dict(), path)
    ours = TorchvisionResNet18(classes=7).eval()
    load_weights(ours, path)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))


def test_a_small_file_builds_its_own_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, path = TorchvisionResNet18(classes=3), tmp_path / "net.safetensors"
    recorded = {"name": "torchvision_resnet18", "args": {"classes": 3, "channels": 3}}
    artifact.save(network, path, architecture=recorded)
    loaded = artifact.load(path)
    assert isinstance(loaded, TorchvisionResNet18)
    state = network.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in loaded.state_dict().items())


class Entry:
    """An entry as torchvision has them, of a file that stands nowhere."""

    url = "https://example.invalid/models/small-0123abcd.pth"

    @staticmethod
    def get_state_dict(progress: bool, check_hash: bool) -> None:
        url = Entry.url
        torch.hub.load_state_dict_from_url(url, progress=progress, check_hash=check_hash)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLUSTERPRESS_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    """Let whoever asks the network get ``content``, or no answer."""

    class Answer(io.BytesIO):
        def info(self) -> Message:
            return Message()

    def asked(*_: Any, **__: Any) -> Answer:
        if content is None:
            raise urllib.error.URLError("no network")
        return Answer(content)

    monkeypatch.setattr(urllib.request, "urlopen", asked)
    monkeypatch.setattr(torch.hub, "urlopen", asked)


def state_file(path: Path) -> str:
    torch.save(nn.Linear(2, 2).state_dict(), path)
    return sha256_of(path)


def test_every_network_has_torchvisions_entries() -> None:
    for name in COUNTS:
        entry = published(MODELS[name], "imagenet1k_v1")
        assert file_name(entry).startswith(name.removeprefix("torchvision_").split("_")[0])
    assert published(MODELS["torchvision_resnet18"], "imagenet1k_v9") is None
    assert published(MODELS["lenet5"], "imagenet1k_v1") is None


def test_weights_are_fetched_once_and_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = state_file(folder / "made.pth")[:8]
    monkeypatch.setattr(Entry, "url", f"https://example.invalid/models/small-{digits}.pth")
    answer(monkeypatch, (folder / "made.pth").read_bytes())
    network = nn.Linear(2, 2)
    load_published(network, Entry, download=True)
    assert torch.equal(network.weight, torch.load(folder / "made.pth")["weight"])
    answer(monkeypatch, None)
    load_published(nn.Linear(2, 2), Entry, download=True)


def test_weights_in_the_folder_are_taken_without_the_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, None)
    digits = state_file(folder / "made.pth")[:8]
    monkeypatch.setattr(Entry, "url", f"https://example.invalid/models/small-{digits}.pth")
    (folder / "made.pth").rename(folder / f"small-{digits}.pth")
    load_published(nn.Linear(2, 2), Entry, download=False)
    state_file(folder / f"small-{digits}.pth")
    with pytest.raises(ConfigError, match="damaged or another file"):
        load_published(nn.Linear(2, 2), Entry, download=False)


@pytest.mark.parametrize(
    ("content", "download", "why"),
    [
        (None, False, "downloading is off"),
        (None, True, "no network"),
        (b"something else", True, "invalid hash value"),
    ],
)
def test_missing_weights_say_what_where_and_how(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    download: bool,
    why: str,
) -> None:
    answer(monkeypatch, content)
    with pytest.raises(ConfigError) as caught:
        load_published(nn.Linear(2, 2), Entry, download=download)
    for part in (why, "small-0123abcd.pth", "CLUSTERPRESS_WEIGHTS", str(folder), Entry.url):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
