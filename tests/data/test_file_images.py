from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights

from clusterpress.data.batches import Batches, fitting_batch
from clusterpress.data.file_images import FileSplit, Reading
from clusterpress.data.folders import read_classes
from clusterpress.data.imagenet import MEAN, STD
from clusterpress.data.images import normalized
from clusterpress.errors import DataError

from .photographs import WNIDS, by_class, photograph

SMALL = Reading(resize=20, crop=16)


@pytest.fixture
def split(tmp_path: Path) -> FileSplit:
    by_class(tmp_path, 5)
    return read_classes(tmp_path, WNIDS, SMALL)


def images_of(split: FileSplit, drawn: int | None, workers: int = 0) -> torch.Tensor:
    split = FileSplit(split.root, split.names, split.labels, split.reading, workers)
    return torch.cat([images for images, _ in Batches(split, 4, None, drawn=drawn)])


def test_a_photograph_is_tested_as_torchvision_tests_it(tmp_path: Path) -> None:
    photograph(tmp_path / "a.JPEG", 0, (300, 260))
    theirs = ResNet18_Weights.IMAGENET1K_V1.transforms()(Image.open(tmp_path / "a.JPEG"))
    ours = normalized(Reading().read(tmp_path / "a.JPEG", None).unsqueeze(0), MEAN, STD)
    assert torch.allclose(ours[0], theirs, atol=1e-5)


def test_an_orientation_is_not_applied_as_in_torchvision(tmp_path: Path) -> None:
    photograph(tmp_path / "a.png", 0)
    with Image.open(tmp_path / "a.png") as image:
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(tmp_path / "turned.png", exif=exif)
    plain, turned = (Reading(3, 20, 16).read(tmp_path / n, None) for n in ("a.png", "turned.png"))
    assert torch.equal(plain, turned)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_photograph_gets_the_networks_channels(
    tmp_path: Path, mode: str, channels: int
) -> None:
    photograph(tmp_path / "a.JPEG", 0, mode=mode)
    reading = Reading(channels, 20, 16)
    for drawn in (None, 3):
        image = reading.read(tmp_path / "a.JPEG", drawn)
        assert (image.shape, image.dtype) == ((channels, 16, 16), torch.uint8)


def test_pixels_that_would_be_cut_off_and_bombs_are_refused(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "a.tif"
    for mode in ("I;16", "I", "L"):
        Image.new(mode, (20, 20), 255).save(path)
        if mode == "L":
            monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        with pytest.raises(DataError, match="8 bits" if mode != "L" else "decompression bomb"):
            SMALL.read(path, None)


@pytest.mark.parametrize("drawn", [None, 0, 7])
def test_workers_change_nothing_and_leave_the_random_state(
    split: FileSplit, drawn: int | None
) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    alone = images_of(split, drawn)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(alone, images_of(split, drawn, workers=2))
    assert len(alone) == 15


def test_seeds_draw_other_crops_and_images_their_own(split: FileSplit) -> None:
    plain, first, second = (images_of(split, drawn) for drawn in (None, 0, 1))
    assert not torch.equal(first, second)
    assert not torch.equal(first, plain)
    twice = FileSplit(split.root, split.names[[0, 0]], split.labels[[0, 0]], SMALL)
    one, other = images_of(twice, 0)
    assert not torch.equal(one, other)


def test_a_crop_depends_on_its_place_and_not_on_the_order(split: FileSplit) -> None:
    plain = images_of(split, 5)
    shuffled = Batches(split, 4, order=3, drawn=5)
    places = shuffled._places()
    assert torch.equal(torch.cat([images for images, _ in shuffled]), plain[places])
    assert torch.equal(torch.cat([labels for _, labels in shuffled]), split.labels[places])


def test_taken_images_keep_their_labels(split: FileSplit) -> None:
    index = torch.tensor([11, 2, 7]).numpy()
    taken = split.take(index)
    assert taken.labels.tolist() == [2, 0, 1]
    assert torch.equal(images_of(taken, None), images_of(split, None)[index])
    assert len(list(Batches(split.take(index[:0]), 4))) == 0


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_damaged_photograph_is_one_sentence(
    split: FileSplit, workers: int, content: bytes | None
) -> None:
    path = split.path(6)
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(DataError, match="no image that can be decoded") as caught:
        images_of(split, None, workers)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


Change = Callable[[Path], None]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda root: (root / "n09999999").mkdir(), "extra are n09999999"),
        (lambda root: (root / WNIDS[0]).rename(root / "other"), f"missing are {WNIDS[0]}"),
        (lambda root: [p.unlink() for p in (root / WNIDS[1]).iterdir()], "no valid file"),
    ],
)
def test_folders_that_are_not_the_classes_are_named(
    tmp_path: Path, change: Change, sentence: str
) -> None:
    by_class(tmp_path, 1)
    change(tmp_path)
    with pytest.raises(DataError, match=sentence):
        read_classes(tmp_path, WNIDS, SMALL)


def test_classes_may_come_in_another_order_than_their_folders(tmp_path: Path) -> None:
    by_class(tmp_path, 2)
    turned = read_classes(tmp_path, WNIDS[::-1], SMALL)
    assert turned.labels.tolist() == [2, 2, 1, 1, 0, 0]


def test_large_images_come_in_smaller_batches() -> None:
    assert fitting_batch(1000, (1, 28, 28)) == fitting_batch(1000, (3, 32, 32)) == 1000
    assert fitting_batch(1000, (3, 224, 224)) == 64
    assert fitting_batch(1000, (3, 9999, 9999)) == 1
