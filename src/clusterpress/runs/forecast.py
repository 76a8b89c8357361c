"""What a suite will have to do, and about how long that takes on this machine."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf

from clusterpress.runs.components import target_of
from clusterpress.runs.compose import resolved
from clusterpress.runs.identity import identify
from clusterpress.runs.named import point_config
from clusterpress.runs.plan import Plan, plan
from clusterpress.runs.stages import Stages
from clusterpress.runs.store import Store
from clusterpress.steps import MergeNeurons, PruneNeurons
from clusterpress.training.loop import train

FIRST, STEPS = 1, 2  # Steps that prepare, and steps that are timed.
_NO_MILESTONES: dict[str, Any] = {"schedule": "constant", "milestones": ()}


@dataclass(frozen=True)
class Training:
    """One stage that nobody has done and that trains.

    Attributes:
        config: The resolved config of a run that needs it.
        baseline: Whether it is the baseline.
        epochs: Passes over the training split.
        size: Multiply-adds of its network as a share of the baseline's, roughly.
    """

    config: Mapping[str, Any]
    baseline: bool
    epochs: int
    size: float


@dataclass(frozen=True)
class Forecast:
    """What is to be done.

    Attributes:
        points: Number of points.
        runs: Number of runs.
        done: Runs whose record is there.
        trainings: Stages that are missing and train, each once.
        seconds: About how long they train on this machine.
    """

    points: int
    runs: int
    done: int
    trainings: tuple[Training, ...]
    seconds: float

    def sentence(self) -> str:
        """Say it in one line for people."""
        head = f"plan: {self.points} points, {self.runs} runs, of which {self.done} are done; "
        if not self.trainings:
            return head + "nothing is to be trained"
        baselines = sum(training.baseline for training in self.trainings)
        return (
            f"{head}to train: {baselines} baselines, {len(self.trainings) - baselines} stages of "
            f"compressed networks; {duration(self.seconds)} on this machine"
        )


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
    done, missing = 0, dict[str, Training]()
    for config in ({**config, "seed": seed} for config in configs for seed in seeds):
        store, names = Store(Path(config["store"])), identify(config)
        if store.run(names.run).exists():
            done += 1
            continue
        for stage, training in zip(names.stages, _trainings(config), strict=True):
            if training.epochs and not store.stage(stage).exists():
                missing.setdefault(stage, training)
    trainings = tuple(missing.values())
    return Forecast(len(points), len(points) * len(seeds), done, trainings, _seconds(trainings))


def duration(seconds: float) -> str:
    """Say a time in the units that people plan in."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60:02d} min"


def _trainings(config: Mapping[str, Any]) -> Iterator[Training]:
    yield Training(config, True, int(config["recipe"]["train"]["epochs"]), 1.0)
    size = 1.0
    for node in config["method"]["steps"].values():
        size *= _share(node)
        yield Training(config, False, int(node.get("rounds", 1)) * _epochs(node), size)


def _epochs(node: Any) -> int:
    if not isinstance(node, Mapping):
        return 0
    return int(node.get("epochs", 0)) + sum(_epochs(value) for value in node.values())


def _share(node: Mapping[str, Any]) -> float:
    """Give about what share of the multiply-adds a step leaves: neurons count on both sides."""
    if target_of(node) not in (MergeNeurons, PruneNeurons):
        return 1.0
    keep = node.get("keep")
    if isinstance(keep, int | float):
        return float(keep) ** 2
    return 1.0 - float(node.get("remove") or 0.0)


def _seconds(trainings: Sequence[Training]) -> float:
    """Sum the epochs' times; each kind of network is timed once."""
    known: dict[str, float] = {}
    total = 0.0
    for training in trainings:
        config = training.config
        recipe = config["recipe"]["train"]
        kind = repr([config["data"], config["model"], recipe["batch_size"], recipe["precision"]])
        if kind not in known:
            known[kind] = _epoch_seconds(plan(OmegaConf.create(dict(config))))
        total += training.epochs * training.size * known[kind]
    return total


def _epoch_seconds(checked: Plan) -> float:
    """Time some steps of the baseline's own training; the first, which prepares, is left out."""
    images = Stages(checked, Store(checked.store)).images
    images = replace(images, validation=images.validation.take(np.zeros(0, np.int64)))
    with torch.random.fork_rng(devices=[]):
        network = checked.network()
    recipe = replace(checked.recipe, epochs=1, select="last", warmup_epochs=0, **_NO_MILESTONES)
    few, more = (
        train(
            network, images, recipe, seed=0, settings=replace(checked.trainer, limit=limit)
        ).seconds
        for limit in (FIRST, FIRST + STEPS)
    )
    steps = math.ceil(len(images.train) / recipe.batch_size)
    return max(more - few, 0.0) / STEPS * steps
