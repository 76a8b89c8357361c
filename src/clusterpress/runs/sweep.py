"""One point, or a sweep of points on Hydra's engine, from the command line's overrides."""

import sys
import tempfile
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import hydra
from omegaconf import DictConfig

from clusterpress.places import folder
from clusterpress.runs.announced import announced
from clusterpress.runs.compose import compose, resolved, sweep_points
from clusterpress.runs.pipeline import Outcome, execute
from clusterpress.runs.plan import plan
from clusterpress.runs.store import Store
from clusterpress.schema import register


def store_folder(overrides: Sequence[str] = ()) -> Path:
    """Give the folder of the store that a run with these overrides uses."""
    return Path(resolved(compose(overrides))["store"])


def run_point(overrides: list[str]) -> int:
    """Run one point and print what it measured; give the exit code.

    Raises:
        ClusterpressError: It failed.
    """
    print(summary(execute(compose(overrides))))
    return 0


def run_sweep(overrides: list[str]) -> int:
    """Run a Hydra sweep; a point that fails stops no other. Give the exit code.

    Raises:
        ConfigError: A point's overrides do not fit; nothing was trained.
    """
    points = sweep_points([line for line in overrides if not _of_the_engine(line)])
    plans = [plan(compose(point)) for point in points]
    runs = [(each.id, each.title) for each in plans]
    title = " ".join(["run -m", *overrides])
    register()
    with announced(Store(plans[0].store), title, runs), tempfile.TemporaryDirectory() as failures:
        # A launcher may run the points in processes of its own: failures are told by files.
        sys.argv = ["clusterpress run", "--multirun", *overrides]
        task = partial(_run_one, Path(failures))
        conf = str(folder("conf"))
        hydra.main(config_path=conf, config_name="config", version_base="1.3")(task)()
        return 1 if any(Path(failures).iterdir()) else 0


def _of_the_engine(override: str) -> bool:
    return override.startswith(("hydra.", "hydra/")) and "searchpath" not in override


def _run_one(failures: Path, config: DictConfig) -> None:
    try:
        print(summary(execute(config)), flush=True)
    except Exception as error:
        (failures / uuid.uuid4().hex).touch()
        print(f"FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def summary(outcome: Outcome) -> str:
    """Say in a few lines what a run measured."""
    record = outcome.record
    errors = ", ".join(f"{stage['name']} {stage['top1_error']:.2f} %" for stage in record["stages"])
    ratios = ", ".join(
        f"{name} {value:.2f}x" for name, value in record["ratios"].items() if value is not None
    )
    head = "done before" if outcome.done_before else "done"
    return (
        f"{head}: {record['data']} {record['model']} {record['method']} seed "
        f"{record['seed']} (run {record['id']})\n"
        f"  test error: {errors}; from the file {record['top1_error']:.2f} %\n"
        f"  compression ratio: {ratios}\n"
        f"  {outcome.artifact}: {record['file_bytes']:,} bytes"
    )
