import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from clusterpress.data.cifar import Cifar10, Cifar100
from clusterpress.data.images import digest
from clusterpress.errors import DataError

SETS = [Cifar10, Cifar100]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CIFAR-10 of 50 and 10 images in the official layout."""
    folder = tmp_path / Cifar10.place
    folder.mkdir()
    rng = np.random.default_rng(0)
    contents: dict[str, object] = {"batches.meta": {"label_names": list("abcdefghij")}}
    for name in [*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"]:
        pixels = rng.integers(256, size=(10, 3072), dtype=np.uint8)
        contents[name] = {"data": pixels, "labels": list(range(10))}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content))
    _official(folder, monkeypatch)
    return tmp_path


def _official(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what lies in ``folder`` pass for the official files."""
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    source = Cifar10.source
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(source, part, [[name, sums[name]] for name, _ in getattr(source, part)])
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": sums["batches.meta"]})
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    monkeypatch.setattr(Cifar10, "sizes", sizes)
    parts = (Cifar10.split(source(folder.parent, train=train)) for train in (True, False))
    monkeypatch.setattr(Cifar10, "sha256", digest(*parts))


def test_images_come_as_they_are_stored(tiny: Path) -> None:
    images = Cifar10(validation=10).load(tiny, download=False)
    assert (len(images.train), len(images.validation), len(images.test)) == (40, 10, 10)
    stored = pickle.loads((tiny / Cifar10.place / "test_batch").read_bytes())
    assert np.array_equal(images.test.images.flatten(1).numpy(), stored["data"])
    assert images.test.labels.tolist() == stored["labels"]
    assert images.shape == Cifar10.shape
    assert images.train.images.is_contiguous()


def test_a_normalisation_of_ones_own_takes_the_place_of_the_measured_one(tiny: Path) -> None:
    images = Cifar10(validation=0, mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1]).load(tiny, False)
    assert (images.mean, images.std) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))


def test_a_damaged_batch_is_named(tiny: Path) -> None:
    path = tiny / Cifar10.place / "data_batch_3"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cifar-10-batches-py is damaged"):
        Cifar10(validation=0).load(tiny, download=False)


def test_other_images_than_the_official_ones_are_refused(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cifar10, "sha256", "0" * 64)
    with pytest.raises(DataError, match="not the official ones"):
        Cifar10(validation=0).load(tiny, download=False)


@pytest.mark.parametrize("data", SETS)
def test_missing_data_say_what_where_and_how(data: type[Cifar10], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        data().load(tmp_path / "nowhere", download=False)
    message = str(caught.value)
    for part in (*data.sizes, "nowhere", data.place, "CLUSTERPRESS_DATA"):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("data", SETS)
def test_real_data(data: type[Cifar10]) -> None:
    folder = Path(os.environ.get("CLUSTERPRESS_DATA", "/nowhere"))
    if not (folder / data.place).is_dir():
        pytest.skip(f"CLUSTERPRESS_DATA names no folder with {data.place}")
    images = data().load(folder, download=False)
    assert (len(images.train), len(images.validation), len(images.test)) == (45_000, 5_000, 10_000)
    for part in (images.train, images.validation, images.test):
        assert len(torch.bincount(part.labels).unique()) == 1  # every class equally often
        assert len(torch.bincount(part.labels)) == data.classes
