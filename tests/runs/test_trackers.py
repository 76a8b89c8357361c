"""Trackers need no account, and one that fails, whenever it does, never fails a run."""

import csv
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from pytorch_lightning.loggers import CSVLogger
from safetensors.torch import save_file

from clusterpress.errors import ConfigError
from clusterpress.models import LeNet300_100
from clusterpress.runs.compose import compose
from clusterpress.runs.pipeline import execute
from clusterpress.runs.plan import plan
from clusterpress.runs.tracked import tracked_run
from clusterpress.runs.trackers import WandbTracker, guard
from clusterpress.runs.trackers.csv_files import CsvCurve

TELLING = f"{__name__}.Telling"


class Telling:
    """Keeps what it is told, and raises where it is asked to."""

    told: ClassVar[list] = []

    def __init__(self, at: str = "never") -> None:
        self.at = at

    def start(self, run):
        self._say("start", run)
        return self

    def logger(self, training):
        self._say("logger", training.name)
        return Curve(self)

    def end(self, summary):
        self._say("end", summary)

    def _say(self, what, value):
        Telling.told.append((what, value))
        if what == self.at:
            raise RuntimeError(f"broken at {what}")


class Curve(CSVLogger):
    def __init__(self, tracker):
        super().__init__("unused")
        self.tracker = tracker

    def log_metrics(self, metrics, step=None):
        self.tracker._say("log", metrics)

    def save(self):
        self.tracker._say("save", None)

    def finalize(self, status):
        self.tracker._say("finalize", status)


@pytest.fixture
def told():
    Telling.told = []
    guard._say.cache_clear()
    return Telling.told


def events(path):
    """Read the events of a TensorBoard file: length, checksum, message, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    content, place = path.read_bytes(), 0
    while place < len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        yield Event.FromString(content[place + 12 : place + 12 + length])
        place += 16 + length


def scalars(path):
    return {
        value.tag: value.simple_value for event in events(path) for value in event.summary.value
    }


def test_csv_keeps_a_curve_of_every_training_and_the_runs_end(short, tmp_path):
    outcome = execute(short("method=none"))
    files = list((tmp_path / "store" / "logs").glob("*/metrics.csv"))
    assert {path.parent.name.split("-")[1] for path in files} == {"baseline", "finetune"}
    with files[0].open() as file:
        rows = list(csv.DictReader(file))
    assert any(row.get("validation_error") for row in rows)
    run = outcome.record["id"]
    with (tmp_path / "store" / "logs" / f"{run}-run" / "summary.csv").open() as file:
        (summary,) = csv.DictReader(file)
    assert int(summary["file_bytes"]) == outcome.artifact.stat().st_size
    assert float(summary["ratio_file"]) == outcome.record["ratios"]["file"]


def test_a_training_that_goes_on_keeps_its_curve_up_to_there(tmp_path):
    path = tmp_path / "stage" / "metrics.csv"
    for first in (1, 3):
        curve = CsvCurve(path)
        for step in range(first, first + 4):
            curve.log_metrics({"loss": float(first)}, step)
    with path.open() as file:
        rows = [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]
    assert rows == [(1, 1.0), (2, 1.0), (3, 3.0), (4, 3.0), (5, 3.0), (6, 3.0)]


def test_all_at_once_need_no_account(short, tmp_path, monkeypatch):
    import wandb

    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = execute(short("method=none", "tracker=[csv,tensorboard,wandb]", "suite=s/d/p"))
    logs = tmp_path / "store" / "logs"
    wandb.teardown()  # Its process writes what it still holds.
    (run,) = (logs / "wandb").glob("offline-run-*/*.wandb")
    content = run.read_bytes()
    for part in (b"s/d/p seed 0", b"finetune-loss", b"baseline-validation_error", b"file_bytes"):
        assert part in content
    # No folder of this machine, and not how the program was called.
    for part in (str(tmp_path), sys.executable, sys.argv[0]):
        assert part.encode() not in content
    (folder,) = (logs / "tensorboard" / "s" / "d").iterdir()
    last = [scalars(path) for path in sorted((folder / "summary").glob("events*"))]
    values = {key: value for found in last for key, value in found.items()}
    assert values["summary/file_bytes"] == outcome.record["file_bytes"]
    assert values["summary/top1_error"] == pytest.approx(outcome.record["top1_error"])
    alone = execute(short("method=none", "tracker=none", f"store={tmp_path / 'other'}"))
    assert outcome.artifact.read_bytes() == alone.artifact.read_bytes()
    (curve,) = (folder / "baseline").glob("events*")
    assert {"loss", "lr", "validation_error", "train_loss"} <= set(scalars(curve))


def test_no_tracker_is_told_where_weights_lie(tmp_path):
    path = tmp_path / "private" / "given.safetensors"
    path.parent.mkdir()
    torch.manual_seed(1)
    save_file(LeNet300_100().state_dict(), path)
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    checked = plan(compose([f"model.weights={path}", "method=none"]))
    told = tracked_run(checked, tmp_path).config
    assert str(tmp_path) not in json.dumps(told)
    assert told["model"]["weights"] == "given.safetensors"
    assert told["model"]["weights_sha256"] == content
    # What is asked for stays as it is: only what is told is shortened.
    assert checked.config["model"]["weights"] == str(path)


def test_settings_that_are_no_paths_are_told_as_they_are():
    checked = plan(compose(["method=none", "suite=a/b/c"]))
    told = tracked_run(checked, Path("logs")).config
    assert told == {name: checked.config[name] for name in told}
    assert set(checked.config) - set(told) == {"store", "data_dir", "tracker"}


def test_a_tracker_is_told_of_a_run_once(short, told):
    trackers = ("tracker=[]", f"+tracker.mine={{_target_: {TELLING}}}")
    record = execute(short("method=none", *trackers, "suite=han2016/digits/x")).record
    assert [value for what, value in told if what == "logger"] == ["baseline", "finetune"]
    assert (told[0][1].group, told[0][1].id) == ("han2016/digits", record["id"])
    assert not {"store", "data_dir", "tracker"} & set(told[0][1].config)
    assert told[0][1].config["recipe"]
    assert told[-1] == ("end", told[-1][1])
    assert told[-1][1]["file_bytes"] == record["file_bytes"]
    count = len(told)
    assert execute(short("method=none", *trackers)).done_before
    assert len(told) == count


@pytest.mark.parametrize("at", ["start", "logger", "log", "save", "finalize", "end"])
def test_a_tracker_that_fails_is_said_once_and_fails_no_run(short, told, capsys, at):
    trackers = ("tracker=[csv]", f"+tracker.mine={{_target_: {TELLING}, at: {at}}}")
    assert execute(short("method=none", *trackers)).record["top1_error"] < 100
    said = capsys.readouterr().err
    assert said.count("the tracker 'mine' is left out") == 1
    assert f"broken at {at}" in said
    assert sum(what == at for what, _ in told) == 1


def test_a_run_that_fails_tells_its_trackers_so(short, told):
    config = short("method=none", "tracker=[]", f"+tracker.mine={{_target_: {TELLING}}}")
    config.recipe.train.lr = 1e30
    with pytest.raises(Exception, match="diverged"):
        execute(config)
    assert told[-1] == ("end", None)


def test_a_service_that_cannot_be_reached_is_left_out(short, monkeypatch, capsys):
    import wandb

    def refuse(**keywords):
        raise OSError("no such service")

    guard._say.cache_clear()
    monkeypatch.setattr(wandb, "init", refuse)
    assert execute(short("method=none", "tracker=[wandb]")).record["top1_error"] < 100
    assert "the tracker 'wandb' is left out: OSError: no such service" in capsys.readouterr().err


def test_nothing_of_trackers_is_part_of_a_runs_identity():
    here = plan(compose([]))
    for others in ("tracker=none", "tracker=[]", "tracker=[csv,tensorboard,wandb]", "suite=a/b/c"):
        there = plan(compose([others]))
        assert (there.id, there.point, there.stage_ids) == (here.id, here.point, here.stage_ids)


def test_none_is_none():
    assert plan(compose(["tracker=none"])).trackers == {}
    assert set(plan(compose(["tracker=[csv,wandb]"])).trackers) == {"csv", "wandb"}
    assert set(plan(compose(["tracker=wandb"])).trackers) == {"wandb"}


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["tracker=[wandb]", "tracker.wandb.mod=online"], "nearest is 'tracker.wandb.mode'"),
        (["tracker=[wandb]", "+tracker.wandb.mod=online"], "nearest is 'mode'"),
        (["tracker=[wandb]", "tracker.wandb.mode=on"], "mode='on'"),
        (["tracker=[csv,wanbd]"], "'wanbd' is no tracker; nearest is 'wandb'"),
        (["+tracker.mine.x=1"], "tracker.mine has no _target_"),
        (["+tracker.mine={_target_: clusterpress.training.recipe.Recipe}"], "is no tracker"),
    ],
)
def test_a_wrong_tracker_is_refused(overrides, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("[", r"\[")):
        plan(compose(overrides))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ConfigError, match="mode='on'"):
        WandbTracker(mode="on")
