"""What an epoch of a network takes on this machine, by some steps of its training."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.memory import forget_peak_memory, peak_memory_bytes
from clusterpress.runs.narrow import knobs, narrow
from clusterpress.runs.plan import Plan, plan
from clusterpress.runs.stages import Stages
from clusterpress.runs.store import Store
from clusterpress.training.loop import train
from clusterpress.training.watch import Watch

FIRST, STEPS = 1, 3  # Steps that prepare, and steps that are timed.
_NO_MILESTONES: dict[str, Any] = {"schedule": "constant", "milestones": ()}


@dataclass(frozen=True)
class Timed:
    """What some steps took.

    Attributes:
        epoch_seconds: Time of an epoch on a machine that does nothing else, as far as the
            shortest step can tell.
        peak_bytes: Most main memory of the whole process during the steps, data included; what
            a device has of its own is not in it.
    """

    epoch_seconds: float
    peak_bytes: int


class Timer:
    """Times each kind of network once."""

    def __init__(self) -> None:
        self._known: dict[str, Timed] = {}

    def __call__(
        self, config: Mapping[str, Any], narrowing: Sequence[Mapping[str, Any]] = ()
    ) -> Timed:
        """Time training by the baseline's recipe.

        Args:
            config: The resolved config of a run.
            narrowing: Nodes of steps that have made the network's layers narrower.

        Raises:
            ConfigError: The config is wrong.
            DataError: Its data are not there.
        """
        recipe = config["recipe"]["train"]
        widths = [knobs(node) for node in narrowing]
        training = [recipe["batch_size"], recipe["precision"]]
        kind = repr([config["data"], config["model"], training, widths])
        if kind not in self._known:
            self._known[kind] = _timed(plan(OmegaConf.create(dict(config))), narrowing)
        return self._known[kind]

    @property
    def peak_bytes(self) -> int | None:
        """The largest peak of all that was timed; None where nothing was."""
        return max((each.peak_bytes for each in self._known.values()), default=None)


def _timed(checked: Plan, narrowing: Sequence[Mapping[str, Any]]) -> Timed:
    """Time some steps; the first, which prepares, is left out."""
    images = Stages(checked, Store(checked.store)).images
    images = replace(images, validation=images.validation.take(np.zeros(0, np.int64)))
    network = _network(checked, narrowing)
    forget_peak_memory()  # Of the steps alone.
    recipe = replace(checked.recipe, epochs=1, select="last", warmup_epochs=0, **_NO_MILESTONES)
    # Fresh processes could not tell this one when their steps end.
    one = replace(checked.trainer, limit=FIRST + STEPS, devices=1, strategy="auto")
    ends: list[float] = []
    seconds = train(network, images, recipe, seed=0, settings=one, watch=_clock(ends)).seconds
    steps = math.ceil(len(images.train) / recipe.batch_size)
    return Timed(shortest_step(ends, seconds) * steps / _shares(checked), peak_memory_bytes())


def _network(checked: Plan, narrowing: Sequence[Mapping[str, Any]]) -> nn.Module:
    """Build the network that trains.

    Widths that it cannot have are told by the run itself, and spoil no other; till then, and
    where a step of others makes it another network, it is timed as it begins.
    """
    with torch.random.fork_rng(devices=[]):
        network = checked.network()
        try:
            return narrow(network, narrowing, checked.data.shape)
        except ConfigError:
            return network


def _clock(ends: list[float]) -> Watch:
    def tick(done: float, epochs: int, error: float | None) -> None:
        del done, epochs, error
        if torch.cuda.is_available():
            torch.cuda.synchronize()  # A step is queued long before it has ended.
        ends.append(time.perf_counter())

    return tick


def shortest_step(ends: Sequence[float], seconds: float) -> float:
    """Give the seconds of the shortest step: what else the machine does only ever adds.

    Args:
        ends: When each step ended, in seconds of one clock.
        seconds: What all took, which stands for a step where there was only one.
    """
    return min((after - before for before, after in pairwise(ends)), default=seconds)


def _shares(checked: Plan) -> int:
    """Give in how many parts an epoch is done at a time: processes on the CPU share its cores."""
    return checked.trainer.devices if checked.trainer.accelerator == "gpu" else 1
