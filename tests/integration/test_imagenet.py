"""A point on photographs in files, from its config to its record."""

import pytest

from clusterpress.data.imagenet import Imagenet
from clusterpress.errors import DataError
from clusterpress.runs.pipeline import execute
from clusterpress.runs.stages import _loaded
from tests.data.photographs import by_class, flat, kit

TRUTH = [3, 1, 2, 2, 1]
POINT = (
    "data=imagenet",
    "model=torchvision_resnet18",
    "model._target_=tests.integration.photograph_network.Pooled",
    "method=stock2020",
    "method.steps.quantize.bits={conv:2,fc:4}",
    "recipe.train.batch_size=4",
    "recipe.train.milestones=[1]",
    "recipe.train.lr=0.01",
    "data.validation=3",
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(Imagenet, "classes", 3)
    monkeypatch.setattr(Imagenet, "counts", {"train": 12, "val": len(TRUTH)})
    by_class(tmp_path / "imagenet" / "train", 4)
    flat(tmp_path / "imagenet" / "val", TRUTH)
    kit(tmp_path / "imagenet" / "ILSVRC2012_devkit_t12" / "data", TRUTH)
    _loaded.cache_clear()
    return tmp_path


def test_a_point_runs_from_files_to_its_record(short, root):
    config = short(*POINT, f"data_dir={root}", "data.workers=2")
    record = execute(config).record
    assert [stage["name"] for stage in record["stages"]] == ["baseline", "quantize", "finetune"]
    assert record["data"] == "imagenet"
    assert record["baseline_top5_error"] == record["top5_error"] == 0  # of three classes
    rows = record["stages"][1]["facts"]["codebook_rows"]
    assert rows == {"1": 4, "3": 4, "5": 16}
    assert record["ratios"]["stock2020"] > 1
    assert record["ratios"]["deep_kmeans"] > 1
    _loaded.cache_clear()
    again = execute(short(*POINT, f"data_dir={root}", "data.workers=0"))
    assert again.done_before


def test_missing_images_are_one_sentence_before_anything_trains(short, tmp_path):
    with pytest.raises(DataError, match="ImageNet is missing: train and val not found"):
        execute(short(*POINT, f"data_dir={tmp_path}"))
