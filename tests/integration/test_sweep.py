"""A sweep on Hydra's engine: every point is checked first, and nothing is left in the folder."""

import subprocess
import sys

from tests.conftest import SHORT


def sweep(folder, *overrides):
    command = [sys.executable, "-m", "clusterpress.cli", "run", "-m", *SHORT, "store=store"]
    return subprocess.run(
        [*command, *overrides], cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )


def test_every_point_of_a_sweep_runs_once(tmp_path):
    done = sweep(tmp_path, "method=wang2020", "method.steps.merge.keep=0.5,0.25,0.50")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done: ") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_sweep_of_several_stores_is_refused_before_one_is_made(tmp_path):
    done = sweep(tmp_path, "method=none", "++store=a,b")
    assert done.returncode == 1
    assert "one store" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_point_is_refused_before_the_first_trains(tmp_path):
    done = sweep(tmp_path, "method=wang2020", "method.steps.merge.keep=0.5,1.5")
    assert done.returncode == 1
    assert "keep is 1.5" in done.stderr
    assert not (tmp_path / "store").exists()
