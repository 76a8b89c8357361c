from pathlib import Path

import pytest
import torch
from torch import nn

from clusterpress.data.devkit import read_flat, read_wnids
from clusterpress.data.file_images import Reading
from clusterpress.data.imagenet import Imagenet
from clusterpress.errors import ConfigError, DataError
from clusterpress.training.evaluation import evaluate
from clusterpress.training.loop import train
from clusterpress.training.recipe import Recipe

from .photographs import BY_KIT, WNIDS, by_class, flat, kit

TRUTH = [3, 1, 2, 2, 1]
SMALL = Reading(resize=20, crop=16)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ImageNet of 12 and 5 photographs of three classes, flat for testing."""
    monkeypatch.setattr(Imagenet, "classes", 3)
    monkeypatch.setattr(Imagenet, "counts", {"train": 12, "val": len(TRUTH)})
    by_class(tmp_path / "imagenet" / "train", 4)
    flat(tmp_path / "imagenet" / "val", TRUTH)
    kit(tmp_path / "imagenet" / "ILSVRC2012_devkit_t12" / "data", TRUTH)
    return tmp_path


@pytest.mark.parametrize("listed", [False, True])
def test_the_kits_numbers_become_places_of_the_sorted_names(tmp_path: Path, listed: bool) -> None:
    flat(tmp_path / "val", TRUTH)
    kit(tmp_path, TRUTH, listed=listed)
    split = read_flat(tmp_path / "val", SMALL)
    assert [WNIDS[label] for label in split.labels] == [BY_KIT[number] for number in TRUTH]
    assert split.labels.tolist() == [1, 2, 0, 0, 2]
    assert split.path(1).name == "ILSVRC2012_val_00000002.JPEG"


def test_flat_and_by_class_are_the_same_images(root: Path) -> None:
    flatly = Imagenet(validation=3, workers=0).load(root).test
    val = root / "imagenet" / "val"
    for number, path in enumerate(sorted(val.glob("*.JPEG"))):
        (val / BY_KIT[TRUTH[number]]).mkdir(exist_ok=True)
        path.rename(val / BY_KIT[TRUTH[number]] / path.name)
    sorted_ = Imagenet(validation=3, workers=0).load(root).test
    pairs = [
        {split.path(i).name: int(split.labels[i]) for i in range(len(split))}
        for split in (flatly, sorted_)
    ]
    assert pairs[0] == pairs[1]


def test_a_part_of_a_flat_folder_keeps_its_labels(tmp_path: Path) -> None:
    flat(tmp_path, TRUTH)
    kit(tmp_path, TRUTH)
    (tmp_path / "ILSVRC2012_val_00000001.JPEG").unlink()
    assert read_flat(tmp_path, SMALL).labels.tolist() == [2, 0, 0, 2]


def test_the_validation_split_is_taken_from_the_training_images(root: Path) -> None:
    images = Imagenet(validation=3, workers=0).load(root)
    assert [len(split) for split in (images.train, images.validation, images.test)] == [9, 3, 5]
    assert images.validation.labels.tolist() == [0, 1, 2]
    held = {images.validation.path(i) for i in range(3)}
    assert not held & {images.train.path(i) for i in range(9)}
    assert all("train" in path.parts for path in held)
    assert (images.shape, images.classes) == ((3, 224, 224), 3)


def test_the_digest_tells_of_names_sizes_and_labels(root: Path) -> None:
    data = Imagenet(validation=3)
    first = data.load(root).sha256
    assert data.load(root).sha256 == first
    path = root / "imagenet" / "train" / WNIDS[0] / f"{WNIDS[0]}_0.JPEG"
    path.write_bytes(path.read_bytes() + b"\0")
    assert data.load(root).sha256 != first


def test_missing_images_say_what_where_and_how(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Imagenet().load(tmp_path / "nowhere")
    for part in ("train and val", "nowhere/imagenet", "CLUSTERPRESS_DATA", "image-net.org"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_kit_and_too_few_images_are_said(root: Path) -> None:
    folder = root / "imagenet"
    (folder / "val" / "ILSVRC2012_val_00000005.JPEG").unlink()
    with pytest.raises(DataError, match="val has 4 images, ImageNet's has 5"):
        Imagenet(validation=0).load(root)
    data = folder / "ILSVRC2012_devkit_t12" / "data"
    (data / "meta.mat").write_bytes(b"no matrix")
    with pytest.raises(DataError, match=r"meta\.mat is damaged"):
        Imagenet(validation=0).load(root)
    (data / "meta.mat").unlink()
    with pytest.raises(DataError, match=r"meta\.mat or map_clsloc\.txt of the development kit"):
        Imagenet(validation=0).load(root)


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [([3, 1], "no label for ILSVRC2012_val_00000003"), ([4, 1, 2, 2, 1], "class of the number 4")],
)
def test_labels_that_do_not_fit_are_refused(
    tmp_path: Path, truth: list[int], sentence: str
) -> None:
    flat(tmp_path, TRUTH)
    kit(tmp_path, truth)
    with pytest.raises(DataError, match=sentence):
        read_flat(tmp_path, SMALL)


def test_a_list_without_numbers_is_refused(tmp_path: Path) -> None:
    """Lists in sorted order, as others publish them, would give wrong labels."""
    (tmp_path / "map_clsloc.txt").write_text("\n".join(WNIDS))
    with pytest.raises(DataError, match="damaged"):
        read_wnids(tmp_path / "map_clsloc.txt")


@pytest.mark.parametrize(
    "bad",
    [
        {"mean": []},
        {"std": []},
        {"workers": -1},
        {"workers": 1.5},
        {"workers": True},
        {"validation": -1},
        {"validation": 0.5},
        {"validation": True},
    ],
)
def test_settings_out_of_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        Imagenet(**bad)


def pooled() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.AvgPool2d(56), nn.Flatten(), nn.Linear(48, 3))


def test_training_streams_through_the_same_loop_whatever_the_workers(root: Path) -> None:
    recipe = Recipe(epochs=2, batch_size=4, lr=0.01, augmentation="resized_crop_flip")
    weights, histories = [], []
    for workers in (0, 2):
        images = Imagenet(validation=3, workers=workers).load(root)
        network = pooled()
        histories.append(train(network, images, recipe, seed=0))
        weights.append(network[2].weight.detach())
    assert torch.equal(*weights)
    assert not torch.equal(weights[0], pooled()[2].weight)
    losses = [[epoch.train_loss for epoch in history.epochs] for history in histories]
    assert losses[0] == losses[1]
    other = pooled()
    train(other, Imagenet(validation=3, workers=0).load(root), recipe, seed=1)
    assert not torch.equal(other[2].weight, weights[0])


def test_evaluation_reads_every_image_once_and_in_order(root: Path) -> None:
    images = Imagenet(validation=0, workers=2).load(root)
    network = pooled()
    found = evaluate(network, images.test, images, batch_size=2)
    stacked = torch.stack([images.test.reading.read(images.test.path(i), None) for i in range(5)])
    expected = network(images.normalize(stacked)).argmax(1)
    assert torch.equal(found.predictions, expected)
    missed = int((expected != images.test.labels).sum())
    assert found.top1_error == pytest.approx(100 * missed / 5)


def test_workers_are_no_part_of_an_identity() -> None:
    from clusterpress.runs.identity import settings

    node = {"_target_": "clusterpress.data.imagenet.Imagenet", "validation": 50_000}
    assert settings({**node, "workers": 0}) == settings({**node, "workers": 16})
    assert settings({**node, "validation": 0}) != settings(node)
