"""Trackers need no account, and one that fails never fails a run."""

import csv

import pytest

from clusterpress.errors import ConfigError
from clusterpress.runs.pipeline import execute
from clusterpress.runs.trackers import WandbTracker


def test_the_csv_tracker_keeps_a_curve_of_every_training(short, tmp_path):
    execute(short("method=none"))
    files = list((tmp_path / "store" / "logs").glob("*/metrics.csv"))
    assert {path.parent.name.split("-")[1] for path in files} == {"baseline", "finetune"}
    with files[0].open() as file:
        rows = list(csv.DictReader(file))
    assert any(row.get("validation_error") for row in rows)


def test_wandb_offline_needs_no_account(short, tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = execute(short("method=none", "tracker=wandb"))
    assert not outcome.done_before
    assert list((tmp_path / "store" / "logs" / "wandb").glob("offline-run-*"))


def test_a_tracker_that_fails_is_left_out(short, monkeypatch):
    import wandb

    def refuse(**keywords):
        raise OSError("no such service")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.warns(UserWarning, match="wandb is left out: no such service"):
        assert execute(short("method=none", "tracker=wandb")).record["top1_error"] < 100


def test_an_unknown_mode_is_refused():
    with pytest.raises(ConfigError, match="mode='on'"):
        WandbTracker(mode="on")
