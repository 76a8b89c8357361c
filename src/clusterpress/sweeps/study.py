"""A study: the trials of a search, in one SQLite file of Optuna's below the store."""

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.exceptions import OptunaError
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from clusterpress.durable import no_room_said, sync
from clusterpress.errors import ConfigError, StoreError
from clusterpress.runs.tried import Trial
from clusterpress.suggest import nearest
from clusterpress.sweeps.proposal import DIRECTIONS, quiet
from clusterpress.sweeps.settings import Settings, check_name
from clusterpress.sweeps.space import Space

OBJECTIVES = ("validation_error", "file_bytes")
_SEARCH, _BATCH, _RUNS, _FAILURE = "search", "batch", "runs", "failure"
_INCIDENTAL = ("store=", "data_dir=", "download=", "suite=", "tracker=", "tracker.")
_DAMAGE = (SQLAlchemyError, OptunaError, sqlite3.Error, RuntimeError, KeyError, ValueError)
_WAIT = 60.0  # Seconds until another process that writes is given up.


def study_path(store: Path, name: str) -> Path:
    """Give the file of a study, there or not."""
    return store / "studies" / f"{name}.db"


def identity(space: Space, settings: Settings, point: str) -> dict[str, Any]:
    """Give what a study is of, as JSON-safe values.

    Args:
        space: What it searches.
        settings: How.
        point: The name of the point in the space's first corner. It changes with every fixed
            setting that results depend on, and with the versions of the code.
    """
    return {
        "objectives": list(OBJECTIVES),
        "space": {key: distribution_to_json(each) for key, each in space.varied.items()},
        "fixed": list(space.fixed),
        "seeds": list(space.seeds),
        "sampler": settings.sampler,
        "sampler_seed": settings.seed,
        "population": settings.population if settings.sampler == "nsga2" else None,
        "point": point,
    }


@dataclass(frozen=True)
class Study:
    """A study that is there.

    Attributes:
        path: Its file.
        storage: Optuna's, of that file.
        kept: The study in it.
    """

    path: Path
    storage: RDBStorage
    kept: optuna.Study

    @property
    def search(self) -> dict[str, Any]:
        """What it is of; see ``identity``."""
        with damage_said(self.path):
            return dict(self.kept.user_attrs[_SEARCH])

    def trials(self) -> list[FrozenTrial]:
        """Give its trials in their order."""
        with damage_said(self.path):
            return self.kept.get_trials(deepcopy=False)

    def batch(self) -> tuple[int, int]:
        """Give the first trial of the last batch, and the number of its trials."""
        with damage_said(self.path):
            first, size = self.kept.user_attrs.get(_BATCH, (0, 0))
            return int(first), int(size)

    def begin_batch(self, first: int, size: int) -> None:
        """Note that so many trials are now asked for together."""
        with damage_said(self.path):
            self.kept.set_user_attr(_BATCH, [first, size])

    def add(self, trial: FrozenTrial) -> None:
        """Add a running trial; it is there whole or not at all."""
        with damage_said(self.path), quiet():
            self.kept.add_trial(trial)

    def tell(self, number: int, runs: Sequence[str], values: Sequence[float]) -> None:
        """Say what a running trial gave."""
        with damage_said(self.path), quiet():
            self._note(number, _RUNS, list(runs))
            self.kept.tell(number, list(values))

    def tell_failure(self, number: int, runs: Sequence[str], reason: str) -> None:
        """Say why a running trial failed."""
        with damage_said(self.path), quiet():
            self._note(number, _RUNS, list(runs))
            self._note(number, _FAILURE, reason)
            self.kept.tell(number, state=TrialState.FAIL)

    def _note(self, number: int, key: str, value: Any) -> None:
        study = self.storage.get_study_id_from_name(self.kept.study_name)
        trial = self.storage.get_trial_id_from_study_id_trial_number(study, number)
        self.storage.set_trial_user_attr(trial, key, value)


def opened(path: Path) -> Study:
    """Open a study that is there.

    Raises:
        StoreError: It is damaged, or Optuna cannot use it.
    """
    with damage_said(path), quiet():
        storage = _storage(path, skip_table_creation=True)
        kept = optuna.load_study(study_name=None, storage=storage, sampler=RandomSampler())
        study = Study(path, storage, kept)
        if kept.user_attrs.get(_SEARCH, {}).get("objectives") != list(OBJECTIVES):
            raise ValueError("it is no study of clusterpress")
        return study


def opened_or_made(path: Path, name: str, search: Mapping[str, Any]) -> Study:
    """Open a study, or make it; only one process may do so at a time.

    It is made under another name, so that whenever the process dies it is whole or not there.

    Raises:
        StoreError: It is damaged, or cannot be written.
        ConfigError: It is there, and of another search; the differences are named.
    """
    if not path.exists():
        _make(path, name, search)
    study = opened(path)
    found = differences(study.search, search)
    if found:
        raise ConfigError(
            f"the study {name} is of another search: {'; '.join(found)}. Repeat the command that "
            "began it, or choose another hydra.sweeper.study"
        )
    return study


def differences(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Name what another search has otherwise than the one that is kept."""
    found = [
        f"{key} was {_said(kept['space'].get(key))} and is {_said(wanted['space'].get(key))}"
        for key in dict.fromkeys([*kept["space"], *wanted["space"]])
        if kept["space"].get(key) != wanted["space"].get(key)
    ]
    for key in ("seeds", "sampler", "sampler_seed", "population"):
        if kept[key] != wanted[key]:
            found.append(f"{key.replace('_', ' ')} was {kept[key]} and is {wanted[key]}")
    if not found and kept["point"] != wanted["point"]:
        before, now = _of_results(kept["fixed"]), _of_results(wanted["fixed"])
        gone = [line for line in before if line not in now]
        new = [line for line in now if line not in before]
        lines = [*(f"it had {line}" for line in gone), *(f"{line} is new" for line in new)]
        found += lines or ["the configs, or the versions of the steps, changed since it began"]
    return found


def tried(store: Path, name: str) -> list[Trial]:
    """Read the trials of a study.

    Raises:
        ConfigError: There is no such study; the nearest is named.
        StoreError: It is damaged.
    """
    check_name(name)
    path = study_path(store, name)
    if not path.is_file():
        known = sorted(each.stem for each in path.parent.glob("[!.]*.db"))
        others = nearest(name, known) if known else "there are none in this store"
        raise ConfigError(f"there is no study {name!r} in {store}; {others}")
    study = opened(path)
    search = study.search
    with damage_said(path), quiet():
        best = {trial.number for trial in study.kept.best_trials}
        return [_trial(trial, search, best) for trial in study.trials()]


def _trial(trial: FrozenTrial, search: Mapping[str, Any], best: set[int]) -> Trial:
    parameters = {key: str(trial.params[key]) for key in search["space"]}
    failed, complete = trial.state == TrialState.FAIL, trial.state == TrialState.COMPLETE
    return Trial(
        number=trial.number,
        parameters=parameters,
        values=(float(trial.values[0]), float(trial.values[1])) if complete else None,
        failure=str(trial.user_attrs.get(_FAILURE, "for no known reason")) if failed else None,
        runs=tuple(trial.user_attrs.get(_RUNS, ())),
        overrides=(*search["fixed"], *(f"{key}={value}" for key, value in parameters.items())),
        seeds=tuple(search["seeds"]),
        best=trial.number in best,
    )


@contextlib.contextmanager
def damage_said(path: Path) -> Iterator[None]:
    """Say in one sentence that the file of a study cannot be used.

    Raises:
        StoreError: What Optuna, SQLAlchemy and SQLite raise where it is damaged or locked, or the
            disk is full: then nobody is told to remove it.
    """
    try:
        yield
    except _DAMAGE as error:
        if _no_room(error):
            raise StoreError(
                f"No room left to write the study {path}; free some space and repeat the command."
            ) from error
        reason = " ".join(f"{type(error).__name__}: {error.__cause__ or error}".split())[:300]
        raise StoreError(
            f"the study {path} is damaged or cannot be used ({reason}); if it is damaged, remove "
            "it and repeat the command: finished runs are found in the store"
        ) from error


def _no_room(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__
    return False


def _make(path: Path, name: str, search: Mapping[str, Any]) -> None:
    with no_room_said(path), quiet():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent} cannot be made: {error.strerror}") from error
        for old in path.parent.glob(f".{name}.{'[0-9a-f]' * 32}.tmp*"):
            old.unlink(missing_ok=True)
        temporary = path.parent / f".{name}.{uuid.uuid4().hex}.tmp"
        try:
            with damage_said(path):
                _fill(temporary, name, search)
            sync(temporary)
            temporary.rename(path)
        finally:
            for left in path.parent.glob(f"{temporary.name}*"):
                left.unlink(missing_ok=True)
        sync(path.parent)


def _fill(temporary: Path, name: str, search: Mapping[str, Any]) -> None:
    made = optuna.create_study(
        storage=_storage(temporary, skip_table_creation=False),
        study_name=name,
        directions=list(DIRECTIONS),
    )
    made.set_metric_names(list(OBJECTIVES))
    made.set_user_attr(_SEARCH, dict(search))


def _storage(path: Path, *, skip_table_creation: bool) -> RDBStorage:
    # By a function, since a URL cannot have every path.
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=_WAIT, check_same_thread=False)

    arguments = {"creator": connect, "poolclass": NullPool}
    return RDBStorage("sqlite://", arguments, skip_table_creation=skip_table_creation)


def _of_results(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not line.lstrip("+~").startswith(_INCIDENTAL)]


def _said(distribution: str | None) -> str:
    if distribution is None:
        return "not searched"
    values = json.loads(distribution)["attributes"]
    if "choices" in values:
        return f"one of {', '.join(map(str, values['choices']))}"
    words = [f"{values['low']} to {values['high']}"]
    words += [f"by {values['step']}"] if values.get("step") not in (None, 1) else []
    return " ".join([*words, *(["on a log scale"] if values.get("log") else [])])
