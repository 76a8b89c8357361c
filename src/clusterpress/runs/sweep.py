"""One point, or a sweep of points on Hydra's engine, from the command line's overrides."""

import os
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from clusterpress.places import folder
from clusterpress.runs.compose import compose, first_of_sweep
from clusterpress.runs.pipeline import Outcome, execute
from clusterpress.runs.plan import plan
from clusterpress.schema import register


def store_folder() -> Path:
    """Give the store's folder: ``CLUSTERPRESS_STORE``, or ``runs`` in the working folder."""
    return Path(os.environ.get("CLUSTERPRESS_STORE", "runs"))


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
        ConfigError: The overrides do not fit; nothing was trained.
    """
    plan(
        compose(
            [
                o
                for o in first_of_sweep(overrides)
                if not o.startswith(("hydra.", "hydra/")) or "searchpath" in o
            ]
        )
    )
    register()
    failures: list[str] = []

    def task(config: DictConfig) -> None:
        try:
            print(summary(execute(config)), flush=True)
        except Exception as error:
            failures.append(str(error))
            print(f"FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)

    sys.argv = ["clusterpress run", "--multirun", *overrides]
    hydra.main(config_path=str(folder("conf")), config_name="config", version_base="1.3")(task)()
    return 1 if failures else 0


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
