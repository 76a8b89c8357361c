import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from clusterpress.data import files
from clusterpress.data.files import find_folder
from clusterpress.data.mnist import SIZES, FashionMnist, Mnist
from clusterpress.errors import ConfigError, DataError

SETS = [Mnist, FashionMnist]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def real() -> Path:
    folder = os.environ.get("CLUSTERPRESS_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CLUSTERPRESS_DATA names no folder of real data")
    return Path(folder)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Sparse files of the official sizes, all zeros but the IDX headers."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, size in SIZES.items():
        count = 60_000 if name.startswith("train") else 10_000
        images = "images" in name
        header = [0x803 if images else 0x801, count, *([28, 28] if images else [])]
        with (folder / name).open("wb") as file:
            file.write(b"".join(value.to_bytes(4, "big") for value in header))
            file.truncate(size)
    return folder


@pytest.mark.parametrize("data", SETS)
def test_real_data(data: type[Mnist], real: Path) -> None:
    if not (real / data.source.__name__).is_dir():
        pytest.skip(f"CLUSTERPRESS_DATA holds no {data.source.__name__}")
    images = data(validation=5000).load(real, download=False)
    assert (len(images.train), len(images.validation), len(images.test)) == (55_000, 5_000, 10_000)
    assert images.shape == data.shape
    assert images.sha256 == data.sha256
    counts = torch.bincount(images.train.labels) + torch.bincount(images.validation.labels)
    assert int(counts.sum()) == 60_000
    assert torch.bincount(images.test.labels).min() > 800


@pytest.mark.parametrize("data", SETS)
def test_missing_data_say_what_where_and_how(data: type[Mnist], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        data().load(tmp_path / "nowhere", download=False)
    message = str(caught.value)
    for part in (data.source.__name__, "nowhere", "CLUSTERPRESS_DATA", "t10k-labels-idx1-ubyte"):
        assert part in message
    assert "\n" not in message


def test_without_a_network_fetching_ends_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fetching failed") as caught:
        Mnist().load(tmp_path, download=True)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "MNIST").glob("fetching-*")) == []


def test_what_was_fetched_is_moved_to_its_place(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mnist2:
        __name__ = "Copied"

        def __call__(self, root: str, download: bool) -> None:
            folder = Path(root) / "Copied" / "raw"
            folder.mkdir(parents=True)
            for name in SIZES:
                os.link(raw / name, folder / name)

    files.fetch(Mnist2(), tmp_path, "Copied/raw", SIZES, download=True)
    assert {path.name for path in (tmp_path / "Copied" / "raw").iterdir()} == set(SIZES)
    assert [path.name for path in (tmp_path / "Copied").iterdir()] == ["raw"]


def test_a_truncated_file_is_named(raw: Path, tmp_path: Path) -> None:
    os.truncate(raw / "t10k-images-idx3-ubyte", 1000)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte is damaged: it has 1,000 bytes"):
        Mnist().load(tmp_path, download=False)


def test_a_damaged_header_is_no_raw_exception(raw: Path, tmp_path: Path) -> None:
    with (raw / "train-images-idx3-ubyte").open("r+b") as file:
        file.write(b"\xff\xff\x99\x03")
    with pytest.raises(DataError, match="raw"):
        Mnist().load(tmp_path, download=False)


def test_torchvisions_old_cache_files_are_no_way_round_the_checks(
    raw: Path, tmp_path: Path
) -> None:
    old = tmp_path / "MNIST" / "processed"
    old.mkdir()
    for name in ("training.pt", "test.pt"):
        (old / name).write_bytes(b"not a checkpoint")
    with pytest.raises(DataError, match=r"raw is damaged"):
        Mnist().load(tmp_path, download=False)


def test_other_content_of_the_right_size_is_refused(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"MNIST/raw are not the official.*e0130f11"):
        Mnist().load(tmp_path, download=False)


def test_a_folder_in_place_of_a_file_is_named(raw: Path, tmp_path: Path) -> None:
    (raw / "train-labels-idx1-ubyte").unlink()
    (raw / "train-labels-idx1-ubyte").mkdir()
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte cannot be read"):
        Mnist().load(tmp_path, download=False)


def test_an_unreadable_folder_is_named(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(DataError, match=r"raw cannot be read: Permission denied"):
        Mnist().load(tmp_path, download=False)


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file"):
        Mnist().load(tmp_path / "file", download=True)


def test_folder_comes_from_argument_then_environment_then_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLUSTERPRESS_DATA", str(tmp_path / "variable"))
    assert find_folder(tmp_path / "argument") == tmp_path / "argument"
    assert find_folder() == tmp_path / "variable"
    monkeypatch.delenv("CLUSTERPRESS_DATA")
    assert "clusterpress" in str(find_folder())


def test_too_large_a_validation_split(real: Path) -> None:
    with pytest.raises(ConfigError, match="59990"):
        Mnist(validation=59_995).load(real, download=False)
