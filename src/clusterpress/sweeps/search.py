"""``run -m hydra/sweeper=optuna``: a sampler asks for points, a launcher runs them.

The error on the validation split and the bytes of the file are to be small; test data have no
part in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from optuna.trial import FrozenTrial

from clusterpress.errors import ClusterpressError, ConfigError, StoreError
from clusterpress.places import folder
from clusterpress.runs.announced import announced
from clusterpress.runs.compose import compose
from clusterpress.runs.finished import Finished
from clusterpress.runs.pipeline import RECORD
from clusterpress.runs.plan import Plan, plan
from clusterpress.runs.store import Store, read_json
from clusterpress.schema import register
from clusterpress.suggest import nearest
from clusterpress.sweeps.engine import at_a_time, parted, processes, without_sweeper
from clusterpress.sweeps.job import Task
from clusterpress.sweeps.points import check_launcher, run_points
from clusterpress.sweeps.proposal import most, proposed
from clusterpress.sweeps.settings import SETTINGS, Settings
from clusterpress.sweeps.space import Space, space_of
from clusterpress.sweeps.study import OBJECTIVES, Study, identity, opened_or_made, study_path

_KEY = "hydra.sweeper."
_KEYS = [f"{_KEY}{name}" for name in SETTINGS]
_OUTSIDE = ("StoreError: ", "Not started: ")
"""What such failures begin with: they say nothing of a point."""


@dataclass(frozen=True)
class Searched:
    """What a search did.

    Attributes:
        store: The folder of the store.
        study: The study's name.
        ended: How the runs ended that were started.
    """

    store: Path
    study: str
    ended: Sequence[Finished]


@dataclass(frozen=True)
class _Search:
    """A search that was checked."""

    settings: Settings
    jobs: int
    space: Space
    launcher: Sequence[str]
    first: Plan

    @property
    def total(self) -> int:
        return most(self.space, self.settings)


def run_search(overrides: Sequence[str]) -> Searched:
    """Search until the study has its number of trials; a point that fails stops no other.

    Raises:
        ConfigError: Settings, overrides or the launcher's do not fit, or the study is of another
            search; nothing was trained.
        StoreError: The study is damaged, or the store cannot be written.
    """
    search = _checked(overrides)
    name, store = search.settings.study, Store(search.first.store)
    path = study_path(store.root, name)
    wanted = identity(search.space, search.settings, search.first.point)
    ended: list[Finished] = []
    waiting = f"waiting for another process that searches {name}"
    with store.locked(f"study-{name}", waiting), processes():
        study = opened_or_made(path, name, wanted)
        done = sum(each.state.is_finished() for each in study.trials())
        print(f"study {name}: {done} trials are done, {max(search.total - done, 0)} to do")
        while batch := _batch(study, search):
            ended += _done(study, search, batch, store)
    return Searched(store.root, name, ended)


def _checked(overrides: Sequence[str]) -> _Search:
    engine, lines = parted(overrides)
    config = _hydra_config(engine)
    check_launcher(without_sweeper(engine))
    values = OmegaConf.to_container(config.hydra.sweeper, throw_on_missing=False)
    assert isinstance(values, dict)
    given = {str(key): None if value == "???" else value for key, value in values.items()}
    settings, space = Settings.of(given), space_of(lines)
    most(space, settings)
    jobs = settings.n_jobs or at_a_time(config.hydra.launcher)
    first, _ = (
        plan(compose([*space.corner(high=high), f"seed={space.seeds[0]}"]))
        for high in (False, True)
    )
    if getattr(first.data, "validation", None) == 0:
        raise ConfigError(
            "data.validation is 0, and a search chooses by the error on the validation split; "
            "give it images"
        )
    return _Search(settings, jobs, space, without_sweeper(engine), first)


def _hydra_config(engine: Sequence[str]) -> DictConfig:
    for line in engine:
        key = line.lstrip("+~").split("=", 1)[0]
        if key.startswith(_KEY) and key.removeprefix(_KEY) not in SETTINGS:
            raise ConfigError(f"{key!r} is not a setting; {nearest(key, _KEYS)}")
    register()
    with hydra.initialize_config_dir(str(folder("conf")), version_base="1.3"):
        shell = GlobalHydra.instance().hydra
        assert shell is not None
        try:
            return shell.compose_config("config", list(engine), RunMode.MULTIRUN)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(" ".join(str(error).split())) from error


def _batch(study: Study, search: _Search) -> list[FrozenTrial]:
    """Give the trials to run next; those that a killed search left running before new ones.

    A batch is asked for as a whole before its first trial is told, also by several starts of a
    search; so what is asked for does not depend on when one was killed.
    """
    trials = study.trials()
    first, size = study.batch()
    running = [t for t in trials[: search.total] if not t.state.is_finished()]
    if not running and len(trials) >= min(first + size, search.total):
        first, size = len(trials), min(search.jobs, search.total - len(trials))
        if size <= 0:
            return []
        study.begin_batch(first, size)
    for _ in range(len(trials), min(first + size, search.total)):
        study.add(proposed(study.trials(), search.space, search.settings))
    return [t for t in study.trials()[: search.total] if not t.state.is_finished()]


@dataclass(frozen=True)
class _Planned:
    """The runs of a trial, by id; or why it has none."""

    trial: FrozenTrial
    runs: Mapping[str, tuple[str, tuple[str, ...]]]
    failure: str | None = None


def _planned(trial: FrozenTrial, space: Space) -> _Planned:
    runs = {}
    words = ", ".join(f"{key.rsplit('.', 1)[-1]}={trial.params[key]}" for key in space.varied)
    for seed in space.seeds:
        overrides = (*space.overrides(trial.params), f"seed={seed}")
        try:
            name = plan(compose(overrides)).id
        except ClusterpressError as error:
            return _Planned(trial, {}, f"{type(error).__name__}: {error}")
        many = f", seed {seed}" if len(space.seeds) > 1 else ""
        runs[name] = (f"trial {trial.number}: {words}{many}", overrides)
    return _Planned(trial, runs)


def _done(
    study: Study, search: _Search, batch: Sequence[FrozenTrial], store: Store
) -> list[Finished]:
    """Run a batch and tell what it gave, in the order of the trials."""
    planned = [_planned(trial, search.space) for trial in batch]
    runs = {name: run for each in planned for name, run in each.runs.items()}
    left = {name: run for name, run in runs.items() if not store.run(name).exists()}
    title = f"search {search.settings.study}, trials to {batch[-1].number} of {search.total}"
    titles = [(name, run[0]) for name, run in runs.items()]
    with announced(store, title, titles, jobs=search.jobs):
        ended = run_points(list(left.values()), search.launcher, _said) if left else []
    failures = {name: each.failure for name, each in zip(left, ended, strict=True) if each.failure}
    _check_outside(failures.values(), search.settings.study)
    for each in planned:
        _tell(study, each, failures, store)
    refused = [_refused(each, search) for each in planned if each.failure]
    return [*ended, *refused]


def _check_outside(failures: Iterable[str], study: str) -> None:
    for failure in failures:
        if failure.startswith(_OUTSIDE):
            raise StoreError(
                f"{failure.split(': ', 1)[1]} The search stops; the trials that were running "
                f"are run again when it goes on, and the study {study} has what was told before"
            )


def _tell(
    study: Study, planned: _Planned, failures: Mapping[str, str | None], store: Store
) -> None:
    number, runs = planned.trial.number, list(planned.runs)
    reasons = [planned.failure, *(failures.get(name) for name in runs)]
    reason = next(filter(None, reasons), None)
    if reason is not None:
        study.tell_failure(number, runs, reason)
        return
    records = [read_json(store.run(name) / RECORD) for name in runs]
    values = [fmean(_objective(record, name) for record in records) for name in OBJECTIVES]
    study.tell(number, runs, values)
    print(f"trial {number}: validation error {values[0]:.2f} %, {values[1]:,.0f} bytes", flush=True)


def _objective(record: Mapping[str, Any], name: str) -> float:
    value = record[name]
    if value is None:
        raise ConfigError(
            f"run {record['id']} has no {name}: the validation split of its data is empty; a "
            "search chooses by it"
        )
    return float(value)


def _refused(planned: _Planned, search: _Search) -> Finished:
    overrides = (*search.space.overrides(planned.trial.params), f"seed={search.space.seeds[0]}")
    print(f"trial {planned.trial.number}: FAILED: {planned.failure}", flush=True)
    return Finished(f"trial {planned.trial.number}", overrides, planned.failure)


def _said(task: Task, ended: Finished, of: int) -> str:
    del of  # Which trial it is says more than its place among those that run at a time.
    before = " before" if ended.done_before else ""
    return f"{task.title}: {f'FAILED: {ended.failure}' if ended.failure else f'done{before}'}"
