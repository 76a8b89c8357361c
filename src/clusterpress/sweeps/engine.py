"""Where the points of a sweep run: the overrides that say so, and the threads each gets."""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import joblib
import torch

from clusterpress.errors import ConfigError

_SUBMITIT = (("submitit", "hydra_plugins.hydra_submitit_launcher"), "'clusterpress[slurm]'")
_NEEDS: dict[str, tuple[tuple[str, ...], str]] = {
    "joblib": (("hydra_plugins.hydra_joblib_launcher",), "hydra-joblib-launcher"),
    "ray": (("ray", "hydra_plugins.hydra_ray_launcher"), "'clusterpress[ray]'"),
    "submitit_slurm": (
        ("submitit", "hydra_plugins.hydra_submitit_launcher"),
        "'clusterpress[slurm]'",
    ),
    "submitit_local": (
        ("submitit", "hydra_plugins.hydra_submitit_launcher"),
        "'clusterpress[slurm]'",
    ),
}
_QUIET_RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def is_of_engine(override: str) -> bool:
    """Whether an override says where points run; ``hydra.searchpath`` is part of a point."""
    key = override.lstrip("+~").split("=", 1)[0]
    return key.startswith(("hydra.", "hydra/")) and key != "hydra.searchpath"


def parted(overrides: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part overrides into those of the engine and those of the points."""
    overrides = list(overrides)
    of_engine = [line for line in overrides if is_of_engine(line)]
    return of_engine, [line for line in overrides if not is_of_engine(line)]


def with_jobs(jobs: int | None, engine: Sequence[str]) -> list[str]:
    """Add to the overrides of the engine what a number of processes means: joblib, if many.

    Args:
        jobs: Processes at a time, or None where nobody said.
        engine: Overrides such as ``hydra/launcher=ray``.

    Raises:
        ConfigError: The number is said to a launcher that has settings of its own.
    """
    chosen = [line for line in engine if line.startswith("hydra/launcher=")]
    if jobs is None or (jobs == 1 and not chosen):
        return list(engine)
    if chosen not in ([], ["hydra/launcher=joblib"]):
        raise ConfigError(
            f"--jobs {jobs} is for processes of this machine (joblib); {chosen[-1]} is told by "
            "overrides such as hydra.launcher.ray.init.num_cpus how much to do at a time"
        )
    return ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={jobs}", *engine[len(chosen) :]]


def check_installed(overrides: Iterable[str]) -> None:
    """Check that the packages of the launcher that overrides choose are there.

    Raises:
        ConfigError: They are not; how to install them is said.
    """
    for line in overrides:
        name = line.split("=", 1)[1] if line.startswith("hydra/launcher=") else ""
        modules, package = _NEEDS.get(name, ((), ""))
        missing = [module for module in modules if not _there(module)]
        if missing:
            raise ConfigError(
                f"hydra/launcher={name} needs {', '.join(missing)}, not installed here; "
                f"install with: pip install {package}"
            )


def threads_of(launcher: Any) -> int:
    """Give the threads that each point may use, so that those at work do not fight for the cores.

    Args:
        launcher: The launcher's config.

    Raises:
        ConfigError: Its number of processes is none.
    """
    kind, here = str(launcher["_target_"]).rsplit(".", 1)[-1], torch.get_num_threads()
    if kind == "JoblibLauncher":
        if launcher["n_jobs"] in (0, None):
            raise ConfigError(
                "hydra.launcher.n_jobs is 0; it must be 1 or more, or -1 for all cores"
            )
        return max(1, here // int(joblib.effective_n_jobs(launcher["n_jobs"])))
    if kind == "RayLauncher":
        return max(1, int(launcher["ray"]["remote"].get("num_cpus") or 1))
    if "cpus_per_task" in launcher:
        # Submitit gives one where nobody asks for more.
        return max(1, int(launcher["cpus_per_task"] or 1))
    return here


@contextmanager
def quiet_ray() -> Iterator[None]:
    """Let Ray tell nobody that it is used, and end what a launcher started of it."""
    for name, value in _QUIET_RAY.items():
        os.environ.setdefault(name, value)
    before = _ray_runs()
    try:
        yield
    finally:
        if _ray_runs() and not before:
            import ray  # noqa: PLC0415 - an extra, and there only where it was chosen

            ray.shutdown()


def _ray_runs() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
