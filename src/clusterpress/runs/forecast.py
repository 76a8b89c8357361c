"""What a suite will have to do, and about how long that takes on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from clusterpress.runs.components import parameters_of, target_of
from clusterpress.runs.compose import resolved
from clusterpress.runs.duration import duration
from clusterpress.runs.identity import Identity, identify
from clusterpress.runs.named import point_config
from clusterpress.runs.narrow import narrows
from clusterpress.runs.plan import check_nodes, plan
from clusterpress.runs.store import Store
from clusterpress.runs.timing import Timer
from clusterpress.runs.unfinished import epochs_done
from clusterpress.steps import Prune


@dataclass(frozen=True)
class Training:
    """One stage that nobody has done and that trains.

    Attributes:
        config: The resolved config of a run that needs it.
        baseline: Whether it is the baseline.
        epochs: Passes over the training split.
        narrowing: The nodes of the method's steps that have made its layers narrower by then.
        done: Epochs that a process did that was stopped.
    """

    config: Mapping[str, Any]
    baseline: bool
    epochs: int
    narrowing: tuple[Mapping[str, Any], ...] = ()
    done: int = 0

    @property
    def left(self) -> int:
        """Epochs that are to be done."""
        return max(self.epochs - self.done, 0)


@dataclass(frozen=True)
class RunForecast:
    """One run of them.

    Attributes:
        run: Its id.
        done: Whether its record is there.
        stages: Ids of its missing stages that train; runs that begin alike share some.
    """

    run: str
    done: bool
    stages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """What is to be done.

    Attributes:
        points: Number of points.
        runs: Number of runs.
        done: Runs whose record is there.
        trainings: Stages that are missing and train, each once.
        seconds: About how long they train on this machine.
        each: Every run: seeds of one point follow each other.
        work: Seconds of each missing stage that trains, by its id.
        peak_bytes: About how much main memory a process needs to train; None where nothing is
            to be trained. It was measured in the steps that were timed: a step that clusters a
            large layer may need more.
    """

    points: int
    runs: int
    done: int
    trainings: tuple[Training, ...]
    seconds: float
    each: tuple[RunForecast, ...] = ()
    work: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int | None = None

    def sentence(self, jobs: int = 1) -> str:
        """Say it in one line for people.

        Args:
            jobs: Processes at a time.
        """
        head = f"plan: {self.points} points, {self.runs} runs, of which {self.done} are done; "
        if not self.trainings:
            return head + "nothing is to be trained"
        baselines = sum(training.baseline for training in self.trainings)
        begun = sum(min(training.done, training.epochs) for training in self.trainings)
        return (
            f"{head}to train: {baselines} baselines, {len(self.trainings) - baselines} stages of "
            f"compressed networks{f' ({begun} epochs of them are done)' if begun else ''}; "
            f"{duration(self.seconds)} on this machine{self._memory(jobs)}"
        )

    def _memory(self, jobs: int) -> str:
        if self.peak_bytes is None:
            return ""
        of_each = f" in each of {jobs} processes" if jobs > 1 else ""
        return f", about {self.peak_bytes / 1e9:.1f} GB of memory{of_each}"


def forecast(points: Sequence[Sequence[str]], seeds: Sequence[int]) -> Forecast:
    """Look up what is done, and time some steps of every network that is to be trained.

    Args:
        points: Overrides of each point.
        seeds: Root seeds.

    Raises:
        ConfigError: A point's config is wrong.
        DataError: Its data are not there.
    """
    configs = [resolved(point_config(overrides)) for overrides in points]
    for config in configs:
        check_nodes(config)
    missing: dict[str, Training] = {}
    each = tuple(run for config in configs for run in _point_forecast(config, seeds, missing))
    timer = Timer()
    work = {
        stage: training.left * timer(training.config, training.narrowing).epoch_seconds
        for stage, training in missing.items()
    }
    done = sum(run.done for run in each)
    return Forecast(
        *(len(points), len(each), done, tuple(missing.values()), sum(work.values())),
        *(each, work, timer.peak_bytes),
    )


def _point_forecast(
    config: Mapping[str, Any], seeds: Sequence[int], missing: dict[str, Training]
) -> Iterator[RunForecast]:
    """Look up the runs of one point, which is checked as a whole before it says what it lacks."""
    store, checked = Store(Path(config["store"])), False
    for run in ({**config, "seed": seed} for seed in seeds):
        names = identify(run)
        done = store.run(names.run).exists()
        if not done and not checked:
            plan(OmegaConf.create(run))
            checked = True
        yield RunForecast(names.run, True) if done else _run_forecast(run, names, store, missing)


def _run_forecast(
    config: Mapping[str, Any], names: Identity, store: Store, missing: dict[str, Training]
) -> RunForecast:
    """Say what one run lacks, and add to what is missing what only this run does."""
    lacks = {
        stage: training
        for stage, training in zip(names.stages, _trainings(config), strict=True)
        if training.epochs and not store.stage(stage).exists()
    }
    for stage in [stage for stage in lacks if stage not in missing]:
        missing[stage] = replace(lacks[stage], done=epochs_done(store.unfinished(stage)))
    return RunForecast(names.run, False, tuple(lacks))


def _trainings(config: Mapping[str, Any]) -> Iterator[Training]:
    yield Training(config, True, int(config["recipe"]["train"]["epochs"]))
    narrowing: tuple[Mapping[str, Any], ...] = ()
    for node in config["method"]["steps"].values():
        narrowing += (node,) if narrows(node) else ()
        yield Training(config, False, _times(node) * _epochs(node), narrowing)


def _times(node: Mapping[str, Any]) -> int:
    """Say how often a step trains: one that prunes in rounds between them, not after the last."""
    target = target_of(node)
    if not (isinstance(target, type) and issubclass(target, Prune)):
        return 1
    return int(node.get("rounds", parameters_of(Prune)["rounds"].default)) - 1


def _epochs(node: Any) -> int:
    if not isinstance(node, Mapping):
        return 0
    return int(node.get("epochs", 0)) + sum(_epochs(value) for value in node.values())
