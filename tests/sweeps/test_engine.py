"""What the launcher's settings mean, without launching."""

import subprocess
import sys

import pytest

from clusterpress.errors import ConfigError
from clusterpress.sweeps.child import how_ended
from clusterpress.sweeps.engine import parted, threads_of, with_jobs


def test_the_search_path_belongs_to_the_points():
    lines = ["seed=1", "hydra/launcher=ray", "+hydra.launcher.x=1", "hydra.searchpath=[a]"]
    assert parted(lines) == (lines[1:3], [lines[0], lines[3]])


def test_a_number_of_jobs_is_joblibs():
    own = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert with_jobs(2, []) == own
    assert with_jobs(1, []) == with_jobs(None, []) == []
    verbose = "hydra.launcher.verbose=1"
    assert with_jobs(2, [verbose, "hydra/launcher=joblib"]) == [*own, verbose]
    with pytest.raises(ConfigError, match="hydra/launcher=ray"):
        with_jobs(2, ["hydra/launcher=ray"])


def test_threads_are_what_the_launcher_gives():
    assert threads_of({"_target_": "a.JoblibLauncher", "n_jobs": -1}) == 1
    assert threads_of({"_target_": "a.RayLauncher", "ray": {"remote": {"num_cpus": 3}}}) == 3
    assert threads_of({"_target_": "a.SlurmLauncher", "cpus_per_task": 4}) == 4
    with pytest.raises(ConfigError, match="n_jobs is 0"):
        threads_of({"_target_": "a.JoblibLauncher", "n_jobs": 0})


def test_a_worker_of_a_launcher_needs_no_torch():
    program = "import sys, clusterpress.sweeps.job; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_signal_that_ends_a_process_is_told():
    told = {how_ended(-number) for number in range(1, 65)}
    assert len(told) == 64
    assert how_ended(-15).endswith("SIGTERM")
    assert how_ended(-40).endswith("signal 40")
