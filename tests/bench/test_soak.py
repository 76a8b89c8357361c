"""Killed sweeps lose nothing, and the soak would see it if they did."""

import random
from dataclasses import replace

import pytest

from clusterpress.bench.soak import DATA, SETTINGS, Soak
from clusterpress.bench.soak_rows import GOAL, KillRow, page, write_kills
from clusterpress.bench.soak_sweep import KINDS, KilledSweep, fingerprints, redone
from clusterpress.errors import StoreError
from clusterpress.runs.compose import compose
from clusterpress.runs.named import named_points
from clusterpress.runs.pipeline import execute
from clusterpress.runs.suites import chosen, suite_points

ROW = KillRow(1, 1, "worker", 20.5, "merge", 12, 0.25, 0, 4, 20, True, "a processor")
PAPER = "wang2020"


def uninterrupted(store):
    for point in chosen(suite_points(), [PAPER], list(DATA)):
        for seed in (0, 1):
            own = (*point.overrides, *SETTINGS, f"seed={seed}", f"store={store}")
            execute(compose(own))


def test_a_worker_the_driver_and_the_group_are_killed_and_nothing_is_lost(tmp_path):
    soak = Soak([PAPER], "0,1", named_points(SETTINGS, DATA), tmp_path)
    uninterrupted(tmp_path / "whole")
    sweep, rng = soak.sweep(1), random.Random(0)
    try:
        hits = [sweep.killed(kind, 0.3, rng) for kind in KINDS]
        sweep.whole()
    finally:
        sweep.end()
    assert [hit.kind for hit in hits] == list(KINDS)
    assert all(redone(hit.finished, fingerprints(sweep.store)) == 0 for hit in hits)
    assert soak.tables(sweep.store) == soak.tables(tmp_path / "whole")
    assert "fc_only" in soak.tables(sweep.store)[f"{PAPER}-digits"]
    assert len(list(sweep.store.glob("runs/[!.]*/record.json"))) == 8
    assert not [*sweep.store.glob("stages/.*"), *sweep.store.glob("runs/.*")]
    assert not list(sweep.store.glob("status/*/*"))


def test_what_is_done_again_is_seen(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / "stages" / name).mkdir(parents=True)
        (tmp_path / "stages" / name / "stage.json").write_text("1")
        (tmp_path / "logs" / f"{name}-merge").mkdir(parents=True)
        (tmp_path / "logs" / f"{name}-merge" / "metrics.csv").write_text("1")
    before = fingerprints(tmp_path)
    assert redone(before, fingerprints(tmp_path)) == 0
    (tmp_path / "stages" / "new").mkdir()
    assert redone(before, fingerprints(tmp_path)) == 0
    (tmp_path / "stages" / "a" / "stage.json").unlink()
    (tmp_path / "stages" / "a" / "stage.json").write_text("1")
    assert redone(before, fingerprints(tmp_path)) == 1
    (tmp_path / "stages" / "b" / "stage.json").unlink()
    (tmp_path / "logs" / "c-merge" / "metrics.csv").write_text("1")  # Trained for nothing.
    assert redone(before, fingerprints(tmp_path)) == 3


def test_a_sweep_that_fails_by_itself_is_told(tmp_path):
    sweep = KilledSweep(["reproduce", "no-such-paper"], tmp_path / "store", tmp_path / "log")
    with pytest.raises(StoreError, match="no suite of the paper"):
        sweep.whole()
    assert sweep.killed("group", 100.0, random.Random(0)) is None


def test_the_page_says_what_was_missed(tmp_path):
    rows = [replace(ROW, kill=kill) for kill in range(GOAL)]
    assert f"| kills | {GOAL} (goal {GOAL}: met) |" in page(rows)
    bad = [replace(ROW, redone=2, equal=False), replace(ROW, sweep=2, kind="driver", stages="")]
    text = page(bad)
    assert f"| kills | 2 (goal {GOAL}: missed) |" in text
    assert "| finished stages and runs that were done again | 2 |" in text
    assert "| sweeps whose tables are equal | 1 of 2 |" in text
    assert "| worker | merge | 1 |" in text
    write_kills(tmp_path / "new" / "soak.csv", bad)
    assert (tmp_path / "new" / "soak.md").read_text() == text
    assert (tmp_path / "new" / "soak.csv").read_text().count("\n") == 3
