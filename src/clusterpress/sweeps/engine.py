"""Where the points of a sweep run: the overrides that say so, and the threads each gets."""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import joblib
import torch
from joblib.externals.loky import get_reusable_executor

from clusterpress.errors import ConfigError
from clusterpress.sweeps.child import stop_child

_SUBMITIT = (("submitit", "hydra_plugins.hydra_submitit_launcher"), "'clusterpress[slurm]'")
_NEEDS: dict[str, tuple[tuple[str, ...], str]] = {
    "joblib": (("hydra_plugins.hydra_joblib_launcher",), "hydra-joblib-launcher"),
    "ray": (("ray", "hydra_plugins.hydra_ray_launcher"), "'clusterpress[ray]'"),
    "submitit_slurm": _SUBMITIT,
    "submitit_local": _SUBMITIT,
}
_SWEEPER = "hydra/sweeper="
_SWEEPERS = (_SWEEPER, "hydra.sweeper.")
_OPTUNA: tuple[tuple[str, ...], str] = (("optuna",), "'clusterpress[optuna]'")
# One point at a time, since one that was done before says nothing of how long the next takes.
# A point that kills its process is tried again by us: Ray would do so without an end.
# What stands here may be overridden without a plus.
_RAY = "+hydra.launcher.ray"
_DEFAULTS = {
    "joblib": ("hydra.launcher.batch_size=1",),
    "ray": (
        f"{_RAY}.remote.num_cpus=1",
        f"{_RAY}.remote.num_gpus=0",
        f"{_RAY}.remote.max_retries=0",
        f"{_RAY}.init.num_cpus=null",
        f"{_RAY}.init.num_gpus=null",
        f"{_RAY}.init.include_dashboard=false",
        f"{_RAY}.init.log_to_driver=false",
        f"{_RAY}.init.logging_level=30",
    ),
}
_blocks: list[bool] = []  # Whether the outermost block of ``processes`` goes on.
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
    others = [line for line in engine if line not in chosen]
    return ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={jobs}", *others]


def completed(engine: Sequence[str]) -> list[str]:
    """Put before the overrides of the engine what we set for the launcher that they choose.

    Raises:
        ConfigError: The launcher's packages are not installed; how to install them is said. Or
            another sweeper than ours is chosen.
    """
    if sweeper_of(engine) != "points":
        raise ConfigError(f"{_SWEEPER}optuna is for `clusterpress run -m`; suites are their points")
    chosen = [line.split("=", 1)[1] for line in engine if line.startswith("hydra/launcher=")]
    name = chosen[-1] if chosen else "basic"
    _check_installed(f"hydra/launcher={name}", *_NEEDS.get(name, ((), "")))
    own = _DEFAULTS.get(name, ())
    if name == "ray" and any(".ray.init.address=" in line for line in engine):
        # The launcher sets it for a cluster that it starts; Ray refuses it for one that is there.
        own = (*own, f"{_RAY}.init.object_store_memory=null")
    return [*own, *engine]


def sweeper_of(engine: Sequence[str]) -> str:
    """Give the sweeper that overrides choose: ``points`` or ``optuna``.

    Raises:
        ConfigError: It is another, or what it needs is not installed.
    """
    chosen = [line.removeprefix(_SWEEPER) for line in engine if line.startswith(_SWEEPER)]
    name = chosen[-1] if chosen else "points"
    if name not in ("points", "optuna"):
        raise ConfigError(
            f"{_SWEEPER}{name} is none of ours; points runs what the overrides list, and optuna "
            "searches"
        )
    if name == "optuna":
        _check_installed(f"{_SWEEPER}optuna", *_OPTUNA)
    return name


def without_sweeper(engine: Sequence[str]) -> list[str]:
    """Give the overrides that are the launcher's."""
    return [line for line in engine if not line.lstrip("+~").startswith(_SWEEPERS)]


def _check_installed(what: str, modules: Sequence[str], package: str) -> None:
    missing = [module for module in modules if not _there(module)]
    if missing:
        raise ConfigError(
            f"{what} needs {' and '.join(missing)}, not installed here; "
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


def at_a_time(launcher: Any) -> int:
    """Give how many points a launcher runs at a time.

    Args:
        launcher: The launcher's config.

    Raises:
        ConfigError: It does not say, as one of a cluster does not.
    """
    kind = str(launcher["_target_"]).rsplit(".", 1)[-1]
    if kind == "BasicLauncher":
        return 1
    if kind == "JoblibLauncher":
        threads_of(launcher)  # Refuses none.
        return int(joblib.effective_n_jobs(launcher["n_jobs"]))
    raise ConfigError(
        "how many trials a search asks for at a time must be said where a cluster runs them: "
        "hydra.sweeper.n_jobs=4"
    )


@contextmanager
def processes() -> Iterator[None]:
    """End, with the outermost block, the processes that launchers started and kept.

    They are this process's child, joblib's workers, which would wait for minutes, and a cluster
    of Ray's that a launcher started. Ray is to tell nobody that it is used.
    """
    if _blocks:
        yield
        return
    for name, value in _QUIET_RAY.items():
        os.environ.setdefault(name, value)
    before = _ray_runs()
    _blocks.append(True)
    try:
        yield
    finally:
        _blocks.clear()
        stop_child()
        if "hydra_plugins.hydra_joblib_launcher._core" in sys.modules:
            get_reusable_executor().shutdown(wait=True)
        if _ray_runs() and not before:
            sys.modules["ray"].shutdown()


def _ray_runs() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
