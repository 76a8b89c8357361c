"""A point from config to record, on real digits."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig

from clusterpress import artifact
from clusterpress.codes import dense_copy
from clusterpress.errors import ArtifactError, StoreError
from clusterpress.places import folder
from clusterpress.results.flatten import flatten
from clusterpress.runs import pipeline as pipeline_module
from clusterpress.runs import provenance as provenance_module
from clusterpress.runs import stages as stages_module
from clusterpress.runs.pipeline import execute
from clusterpress.runs.plan import plan
from clusterpress.runs.provenance import git_state
from clusterpress.runs.store import Store
from clusterpress.runs.unfinished import trains

METHODS = sorted(path.stem for path in (folder("conf") / "method").glob("*.yaml"))
TIMING = {"seconds", "stage_seconds", "latency_ms", "peak_memory_bytes", "provenance", "config"}


def comparable(record: dict) -> dict:
    """What must not depend on when and how often a run was interrupted."""
    kept = {key: value for key, value in record.items() if key not in TIMING}
    kept["stages"] = [{k: v for k, v in s.items() if k != "seconds"} for s in record["stages"]]
    return kept


ONLY_CONVOLUTIONS = {"li2017", "son2018", "son2018_pruned"}
PAIRS = [
    (method, model)
    for method in METHODS
    for model in ("lenet300_100", "lenet5")
    if model == "lenet5" or method not in ONLY_CONVOLUTIONS
]


@pytest.mark.parametrize(("method", "model"), PAIRS)
def test_every_method_ends_in_a_file_that_is_what_the_ledger_says(short, method, model):
    few = ["method.steps.share.bits=2"] if method in ("han2016", "liu2019") else []
    config = short(f"method={method}", f"model={model}", *few)
    outcome = execute(config)
    record = outcome.record
    assert outcome.artifact.stat().st_size == record["file_bytes"]
    stored = sum(row["stored_bytes"] for row in record["ledger"]["rows"])
    assert stored + record["header_bytes"] == record["file_bytes"]
    content = outcome.artifact.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    directory = 8 + int.from_bytes(content[start : start + 4], "little")
    assert record["header_bytes"] == start + directory + 32
    assert record["header_bytes"] < 2048
    assert record["ratios"]["file"] == record["reference_bytes"] / record["file_bytes"]
    assert record["top1_error"] == record["stages"][-1]["top1_error"]


def test_a_finished_point_returns_at_once(short, monkeypatch):
    first = execute(short())
    monkeypatch.setattr(stages_module, "train", None)
    again = execute(short())
    assert not first.done_before
    assert again.done_before
    assert again.record == first.record


def test_a_record_tells_the_threads_and_the_precision_of_every_training(short):
    record = execute(short("trainer.threads=1")).record
    baseline = record["stages"][0]["name"]
    assert record["provenance"]["training_threads"][baseline] == [[1]]
    assert record["provenance"]["training_precision"][baseline] == [["32"]]
    assert all("threads" not in stage for stage in record["stages"])
    assert all("precision" not in stage for stage in record["stages"])


def test_the_code_is_asked_for_before_anything_is_trained(short, monkeypatch):
    order, train = [], stages_module.train
    monkeypatch.setattr(
        stages_module, "train", lambda *a, **k: order.append("train") or train(*a, **k)
    )
    monkeypatch.setattr(provenance_module, "checkout", lambda: Path("anywhere"))
    monkeypatch.setattr(provenance_module, "_git", lambda *a: order.append("git") or "")
    git_state.cache_clear()
    try:
        execute(short())
    finally:
        git_state.cache_clear()
    assert order[:3] == ["git", "git", "train"]
    assert order.count("git") == 2


def test_a_record_tells_which_code_did_the_stages_it_took_over(short, monkeypatch):
    for commit, dirty in (("first", True), ("second", False)):
        state = {"git_commit": commit, "git_dirty": dirty}
        monkeypatch.setattr(stages_module, "git_state", lambda state=state: state)
        monkeypatch.setattr(provenance_module, "git_state", lambda state=state: state)
        record = execute(short(f"method={'none' if dirty else 'wang2020'}")).record
    assert record["provenance"]["git_dirty"] is False
    assert record["provenance"]["stage_code"]["baseline"]["git_commit"] == "first"
    assert record["provenance"]["stage_code"]["merge"]["git_commit"] == "second"
    assert flatten(record)["git_dirty"] is True
    assert all("code" not in stage for stage in record["stages"])


def test_a_record_tells_which_code_its_trainings_went_on_from(short, monkeypatch):
    config = short("method=none")
    folder = Store(plan(config).store).unfinished(plan(config).stage_ids[0])
    trains(folder, {"git_commit": "first", "git_dirty": True})
    (folder / "1.ckpt").write_bytes(b"a state of the first")
    state = {"git_commit": "second", "git_dirty": False}
    monkeypatch.setattr(stages_module, "git_state", lambda: state)
    record = execute(config).record
    told = record["provenance"]["stage_code"]["baseline"]
    assert told == {**state, "before": [{"git_commit": "first", "git_dirty": True}]}
    assert flatten(record)["git_dirty"] is True


def test_points_share_their_baseline(short, monkeypatch):
    execute(short("method=none"))
    trained = []
    real = stages_module.train
    monkeypatch.setattr(stages_module, "train", lambda *a, **k: trained.append(1) or real(*a, **k))
    execute(short("method=wang2020"))
    assert len(trained) == 1


def test_the_same_point_in_two_stores_is_the_same(short, tmp_path):
    one = execute(short("method=zhong2018")).record
    other = execute(short("method=zhong2018", f"store={tmp_path / 'other'}")).record
    assert comparable(one) == comparable(other)


def test_the_file_alone_gives_the_network(short):
    config: DictConfig = short("method=wang2020", "model=lenet5")
    outcome = execute(config)
    alone = dense_copy(artifact.load(outcome.artifact))
    into = dense_copy(artifact.load(outcome.artifact, into=plan(config).network()))
    image = torch.rand(2, 1, 28, 28)
    assert torch.equal(alone(image), into(image))
    assert alone.ip1.out_features == 250


def test_a_shared_stage_has_the_name_of_each_method(short):
    one = execute(short("method=l1_neurons")).record
    other = execute(short("method=from_scratch")).record
    assert [stage["name"] for stage in one["stages"]] == ["baseline", "prune", "finetune"]
    assert [stage["name"] for stage in other["stages"]] == [
        "baseline",
        "narrow",
        "reinitialize",
        "train",
    ]
    assert one["stages"][1]["id"] == other["stages"][1]["id"]


def test_all_images_may_train(short):
    record = execute(short("data.validation=0", "method=none")).record
    assert record["validation_error"] is None
    assert record["baseline_validation_error"] is None
    assert flatten(record)["top1_error"] == record["top1_error"]


def test_a_file_that_predicts_otherwise_is_refused(short, monkeypatch):
    real = pipeline_module.artifact.load

    def other(path, into=None):
        network = real(path, into=into)
        if path.name == "artifact.safetensors":
            torch.nn.init.zeros_(network.ip3.weight)
        return network

    monkeypatch.setattr(pipeline_module.artifact, "load", other)
    with pytest.raises(ArtifactError, match="not to be trusted"):
        execute(short("method=none"))


@pytest.mark.parametrize("where", ["another processor", None, "here"])
def test_a_stage_that_another_machine_scored_is_scored_again(where, short, tmp_path):
    record = execute(short("method=none")).record
    stage = tmp_path / "store" / "stages" / record["stages"][-1]["id"] / "stage.json"
    found = json.loads(stage.read_text())
    scored_on = found["scored_on"] if where == "here" else where
    changed = {**found, "predictions": "rounded otherwise", "scored_on": scored_on}
    stage.write_text(json.dumps(changed))
    shutil.rmtree(tmp_path / "store" / "runs")
    if where != "here":
        assert execute(short("method=none")).record["top1_error"] == record["top1_error"]
    else:
        with pytest.raises(ArtifactError, match="not to be trusted"):
            execute(short("method=none"))


def damage(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return bytes(content)


def test_a_damaged_checkpoint_is_named_and_not_overwritten(short, tmp_path):
    record = execute(short("method=none")).record
    baseline = tmp_path / "store" / "stages" / record["stages"][0]["id"]
    damaged = damage(baseline / "network.safetensors")
    with pytest.raises(ArtifactError, match="checkpoint of stage 'baseline' is damaged"):
        execute(short("method=wang2020"))
    assert (baseline / "network.safetensors").read_bytes() == damaged


def test_a_damaged_artifact_is_one_clear_error(short):
    outcome = execute(short("method=none"))
    damage(outcome.artifact)
    with pytest.raises(ArtifactError):
        artifact.load(outcome.artifact)


def test_a_full_disk_leaves_a_store_that_goes_on(short, monkeypatch, tmp_path):
    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    real = stages_module.write_json
    monkeypatch.setattr(stages_module, "write_json", full)
    with pytest.raises(StoreError, match="No room left"):
        execute(short())
    assert not list((tmp_path / "store" / "stages").iterdir())
    monkeypatch.setattr(stages_module, "write_json", real)
    assert not execute(short()).done_before
