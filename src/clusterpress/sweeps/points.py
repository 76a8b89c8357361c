"""Run a list of points on a launcher of Hydra's; one that fails stops no other."""

import shutil
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf.errors import OmegaConfBaseException

from clusterpress.errors import ConfigError
from clusterpress.places import folder
from clusterpress.runs.finished import Finished
from clusterpress.runs.sweep import store_folder
from clusterpress.schema import register
from clusterpress.sweeps.engine import completed, processes, threads_of
from clusterpress.sweeps.job import Job, Notes, Task, driver_environment
from clusterpress.sweeps.watch import Say, in_a_line, said

LOSSES = 3  # A worker's death may take points with it that have no part in it.


def seeded(
    points: Sequence[tuple[str, tuple[str, ...]]], seeds: Sequence[int]
) -> list[tuple[str, tuple[str, ...]]]:
    """Give every point at every seed, by title and overrides.

    Seeds of one point follow each other, so that neighbours rarely wait for the same stage.
    """
    return [
        (f"{title} seed {seed}", (*overrides, f"seed={seed}"))
        for title, overrides in points
        for seed in seeds
    ]


def check_launcher(engine: Sequence[str]) -> None:
    """Build a launcher and start nothing.

    Args:
        engine: Overrides that choose and set it.

    Raises:
        ConfigError: It is unknown, not installed, or its settings do not fit.
    """
    engine = completed(engine)
    register()
    with _sweeper((), engine, Notes(Path())):
        pass


def run_points(
    points: Sequence[tuple[str, tuple[str, ...]]], engine: Sequence[str], say: Say = in_a_line
) -> list[Finished]:
    """Run points and give how each ended, in their order; each is said when it ended.

    Args:
        points: Title and overrides of each.
        engine: Overrides that choose and set Hydra's launcher; none mean this one process.
        say: Gives the words for how a run ended.

    Raises:
        ConfigError: The launcher is unknown, not installed, or not one run could be started.
        StoreError: The folder of the sweep's notes cannot be written.
    """
    engine = completed(engine)
    register()
    tasks = [Task(number, *point) for number, point in enumerate(points, 1)]
    with _notes(tasks) as notes, said(notes, tasks, say):
        with processes():
            _run(tasks, engine, notes)
        ended = [notes.ended(task) for task in tasks]
    return [each for each in ended if each is not None]


@contextmanager
def _notes(tasks: Sequence[Task]) -> Iterator[Notes]:
    """Give a folder for a sweep; it stays, with what the launcher logged, where a run failed."""
    store = store_folder(tasks[0].overrides).expanduser().absolute() if tasks else Path.cwd()
    notes = Notes(store / "logs" / "sweep" / uuid.uuid4().hex[:12])
    if tasks:
        notes.make()
    try:
        with notes.used():
            yield notes
    except ConfigError:
        shutil.rmtree(notes.folder, ignore_errors=True)  # Nothing was started.
        raise
    if not any(ended is None or ended.failure for ended in map(notes.ended, tasks)):
        shutil.rmtree(notes.folder, ignore_errors=True)


def _run(tasks: Sequence[Task], engine: Sequence[str], notes: Notes) -> None:
    """Launch the runs, and again those that were lost with a worker, until each has ended."""
    left, lost = list(tasks), Counter[int]()
    while left:
        reason = _launched(left, engine, notes)
        still = [task for task in left if notes.ended(task) is None]
        begun = [task for task in still if notes.begun(task).exists()]
        if len(still) == len(left) and not begun:
            _give_up(left, reason, notes, any(notes.ended(task) for task in tasks))
        for task in begun:
            lost[task.number] += 1
            notes.begun(task).unlink(missing_ok=True)
            if lost[task.number] == LOSSES:
                failure = f"Lost: its worker died {LOSSES} times: {reason}"
                notes.note(task, Finished(task.title, task.overrides, failure))
        left = [task for task in still if notes.ended(task) is None]
        if left:
            print(f"a worker was lost ({reason}); {len(left)} runs go on", flush=True)


def _give_up(left: Sequence[Task], reason: str, notes: Notes, some: bool) -> None:
    if not some:
        raise ConfigError(f"the launcher could not start one run: {reason}")
    for task in left:
        notes.note(task, Finished(task.title, task.overrides, f"Not started: {reason}"))


def _launched(tasks: Sequence[Task], engine: Sequence[str], notes: Notes) -> str:
    """Launch runs, and say why those that did not end did not."""
    with _sweeper(tasks, engine, notes) as sweeper:
        try:
            returned = sweeper.launch([task.overrides for task in tasks])
            for each in returned:
                _ = each.return_value  # Raises what the job raised.
        except Exception as error:
            return " ".join(f"{type(error).__name__}: {error}".split())[:400]
    return "the launcher does not say why"


@contextmanager
def _sweeper(tasks: Sequence[Task], engine: Sequence[str], notes: Notes) -> Iterator[Any]:
    """Give Hydra's sweeper, with its launcher, for a list of runs.

    Raises:
        ConfigError: The overrides do not fit.
    """
    conf = str(folder("conf"))
    with hydra.initialize_config_dir(conf, job_name="clusterpress", version_base="1.3"):
        shell = GlobalHydra.instance().hydra
        assert shell is not None
        try:
            config = shell.compose_config(
                "config", [*engine, f"hydra.sweep.dir={_quoted(notes.folder)}"], RunMode.MULTIRUN
            )
            threads = threads_of(config.hydra.launcher)
            job = Job(notes, tuple(tasks), threads, Path.cwd(), driver_environment())
            sweeper = Plugins.instance().instantiate_sweeper(
                config=config,
                hydra_context=HydraContext(shell.config_loader, Callbacks(config)),
                task_function=job,
            )
        except (HydraException, OmegaConfBaseException, ImportError, RuntimeError) as error:
            raise ConfigError(" ".join(str(error).split())) from error
        yield sweeper


def _quoted(path: Path) -> str:
    """Write a path as a value of an override, whatever characters it has."""
    text = str(path).replace("'", "\\'")
    return f"'{text}'"
