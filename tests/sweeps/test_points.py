"""The same list of points on every launcher: the same records, and nothing lost to a failure."""

import json
import time
from pathlib import Path

import pytest

from clusterpress.sweeps.points import run_points
from tests.integration.test_pipeline import comparable

SHORT = (
    *(f"recipe.{name}.epochs=1" for name in ("train", "recover", "finetune")),
    "download=false",
)
STEP = "+method.steps.odd._target_=tests.sweeps.stubborn"
LAUNCHERS = {
    "basic": (),
    "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    "submitit_local": ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=10"),
    "ray": ("hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=2"),
}


def points(store: Path) -> list[tuple[str, tuple[str, ...]]]:
    common = (*SHORT, f"store={store}", "method=uniform")
    return [
        ("good", common),
        ("fails", (*common, f"{STEP}.Fails")),
        ("kills", (*common, f"{STEP}.Kills")),
        ("good again", (*common, "method.steps.quantize.bits=3")),
    ]


def records(store: Path) -> dict[str, object]:
    found = [json.loads(path.read_text()) for path in store.glob("runs/*/record.json")]
    for record in found:
        record["config"].pop("store")
    return {record["id"]: comparable(record) for record in found}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store with the records of the good points, done in one process."""
    store = tmp_path_factory.mktemp("whole") / "store"
    ended = run_points([point for point in points(store) if "good" in point[0]], ())
    assert not any(run.failure for run in ended)
    assert not list((store / "logs" / "sweep").iterdir())
    return store


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_launcher_gives_the_same_records_and_lists_what_failed(
    launcher, whole, tmp_path, monkeypatch
):
    monkeypatch.setenv("CLUSTERPRESS_TRIAL", str(tmp_path))
    ended = run_points(points(tmp_path / "store"), LAUNCHERS[launcher])
    assert [run.title for run in ended] == ["good", "fails", "kills", "good again"]
    assert [run.failure is None for run in ended] == [True, False, False, True]
    assert "this step never works" in ended[1].failure
    assert "was killed (SIGKILL)" in ended[2].failure
    assert records(tmp_path / "store") == records(whole)
    assert not processes_of(str(tmp_path))


def test_a_point_that_was_killed_once_is_done_all_the_same(whole, tmp_path):
    name, overrides = points(whole)[0]
    once = (*overrides, f"{STEP}.Kills", f"+method.steps.odd.flag={tmp_path / 'flag'}")
    (ended,) = run_points([(name, once)], ())
    assert (tmp_path / "flag").exists()
    assert ended.failure is None


def processes_of(trial: str) -> list[str]:
    """Wait for the processes that have a trial's variable to end; give those that do not.

    Python's trackers of shared resources are left out: they end with the process that began them.
    """
    deadline, found = time.monotonic() + 20, [""]
    while found and time.monotonic() < deadline:
        time.sleep(0.2)
        found = [
            path.parent.name
            for path in Path("/proc").glob("[0-9]*/environ")
            if has(path, trial) and not is_tracker(path.with_name("cmdline"))
        ]
    return found


def has(environ: Path, trial: str) -> bool:
    try:
        return f"CLUSTERPRESS_TRIAL={trial}\0".encode() in environ.read_bytes()
    except OSError:
        return False


def is_tracker(command: Path) -> bool:
    try:
        return b"resource_tracker" in command.read_bytes()
    except OSError:
        return True
