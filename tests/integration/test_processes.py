"""Killed processes and processes at the same work."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clusterpress.runs.compose import compose
from clusterpress.runs.pipeline import execute
from tests.conftest import SHORT
from tests.integration.test_pipeline import comparable

POINT = ("method=han2016", "method.steps.share.bits=2", "recipe.retrain.epochs=6")


def start(store: Path, **keywords) -> subprocess.Popen:
    arguments = [*SHORT, *POINT, f"store={store}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "clusterpress.cli", "run", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        **keywords,
    )


def finished_stages(store: Path) -> int:
    return len(list(store.glob("stages/[!.]*/stage.json")))


def test_two_processes_on_one_point_train_it_once(tmp_path):
    both = [start(tmp_path / "store") for _ in range(2)]
    printed = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    assert any("waiting for another process" in text for text in printed)
    assert sum("done before: " in text for text in printed) == 1
    assert finished_stages(tmp_path / "store") == 5


def test_a_disk_that_is_full_leaves_a_store_that_goes_on(tmp_path):
    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    store = tmp_path / "store"
    full = start(store, preexec_fn=no_large_files)
    printed = full.communicate(timeout=200)[0]
    assert full.returncode == 1
    assert "StoreError" in printed
    assert "free some space" in printed
    assert "Traceback" not in printed
    assert finished_stages(store) == 0
    again = start(store)
    assert "done: " in again.communicate(timeout=200)[0]


@pytest.mark.parametrize("stages", [1, 3])
def test_a_killed_run_continues_and_ends_the_same(tmp_path, stages):
    whole = execute(compose([*SHORT, *POINT, f"store={tmp_path / 'whole'}"])).record
    store = tmp_path / "store"
    process = start(store)
    deadline = time.monotonic() + 120
    while finished_stages(store) < stages and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list(store.glob("runs/*/record.json"))
    before = {path: path.read_bytes() for path in store.glob("stages/[!.]*/*")}
    assert finished_stages(store) >= stages
    resumed = execute(compose([*SHORT, *POINT, f"store={store}"])).record
    assert comparable(resumed) == comparable(whole)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert not list(store.glob("stages/.*"))
