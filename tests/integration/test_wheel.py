"""An installed clusterpress brings its configs and claims along."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="no checkout to build from")
def test_the_wheel_runs_outside_a_checkout(tmp_path):
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("clusterpress-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import clusterpress.places as places; "
        "from clusterpress.runs.compose import compose; from clusterpress.runs.plan import plan; "
        "assert places.__file__.startswith(sys.argv[1]), places.__file__; "
        "assert places.checkout() is None; "
        "print(plan(compose(['method=han2016'])).title)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "installed")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "digits lenet300_100 han2016 seed 0", done.stderr
    assert (tmp_path / "installed" / "clusterpress" / "models" / "keys.yaml").is_file()
    experiments = {path.name for path in (ROOT / "experiments").glob("*.yaml")}
    installed = (tmp_path / "installed" / "clusterpress" / "experiments").glob("*.yaml")
    assert {path.name for path in installed} == experiments
