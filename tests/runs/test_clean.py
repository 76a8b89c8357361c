"""What may be removed from a store, and what never is."""

import os
import time

import pytest
from tests.runs.test_board import board, dead
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.runs.announced import announced, sweeps
from clusterpress.runs.clean import leftovers, remove
from clusterpress.runs.store import Store

OLD = 40 * 86_400


@pytest.fixture
def store(tmp_path):
    """A store with a finished stage, and every kind of leftover, forty days old."""
    made = Store(tmp_path / "store")
    (made.stage("done") / "x").mkdir(parents=True)
    made.run("done").mkdir()
    for name in ("old", "new", "held"):
        made.unfinished(name).mkdir(parents=True)
        (made.unfinished(name) / "0.ckpt").write_bytes(bytes(1000))
    (made.root / "stages" / ".dead-x1").mkdir()
    (made.root / "runs" / ".dead-x2").mkdir()
    board(made, "killed", process=dead())
    (made.run_states / ".killed.json.0123.tmp").write_text("{")
    for path in [made.root, *made.root.rglob("*")]:
        if "new" not in str(path):
            os.utime(path, (time.time() - OLD, time.time() - OLD))
    return made


def names(found):
    return {each.path.name for each in found}


LEFT = {"old", ".dead-x1", ".dead-x2", "killed.json", ".killed.json.0123.tmp"}


def test_what_is_old_and_free_is_listed_with_its_bytes(store):
    with store.locked("held"):
        found = leftovers(store, 30)
        assert names(found) == LEFT
        assert {each.path.name: each.size for each in found}["old"] == 1000
        assert names(leftovers(store, 0)) == LEFT | {"new"}
        assert leftovers(store, 41) == []
    assert names(leftovers(store, 30)) == LEFT | {"held"}


def test_what_somebody_took_up_meanwhile_is_not_removed(store):
    found = leftovers(store, 30)
    with store.locked("old"):
        freed = remove(store, found)
    assert store.unfinished("old").exists()
    assert freed == sum(each.size for each in found if each.path.name != "old")
    assert not any(each.path.exists() for each in found if each.path.name != "old")
    assert (store.stage("done") / "x").exists()
    assert store.run("done").exists()


def test_the_command_lists_and_removes_only_when_told(store):
    arguments = ["clean", "--store", str(store.root), "--older-than", "30d"]
    listed = CliRunner().invoke(app, arguments)
    assert listed.exit_code == 0
    assert "--yes removes it" in listed.output
    assert names(leftovers(store, 30)) == LEFT | {"held"}
    done = CliRunner().invoke(app, [*arguments, "--yes"])
    assert "removed" in done.output
    assert names(leftovers(store, 0)) == {"new"}


@pytest.mark.parametrize("age", ["30", "d", "-1d", "nand", "infd", ""])
def test_an_age_that_is_none_is_refused(store, age):
    command = ["clean", "--store", str(store.root), f"--older-than={age}"]
    assert CliRunner().invoke(app, command).exit_code == 2


def test_sweeps_that_go_on_are_kept(store):
    with announced(store, "x", [("a", "run a")]):
        os.utime(sweeps(store)[0][0], (1, 1))
        assert not any(each.owner is None for each in leftovers(store, 0))


def test_a_finished_stage_keeps_no_state_of_its_training(store):
    store.stage("old").mkdir()
    store.sweep()
    assert not store.unfinished("old").exists()
    assert store.unfinished("new").exists()
    assert not list(store.run_states.glob(".*.tmp"))
