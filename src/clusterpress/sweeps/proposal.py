"""What a search tries next: a function of the trials before it and of the sampler's seed."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    GridSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from clusterpress.sweeps.settings import Settings
from clusterpress.sweeps.space import Space, rounded

DIRECTIONS = (StudyDirection.MINIMIZE, StudyDirection.MINIMIZE)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Have Optuna say nothing of what it does; what goes wrong is raised all the same."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def proposed(trials: Sequence[FrozenTrial], space: Space, settings: Settings) -> FrozenTrial:
    """Ask for the next trial.

    It is asked of a study in memory that holds the trials so far, and of a sampler whose seed
    comes from the settings' and the trial's number. So nothing else has a part in it: a search
    that was stopped and goes on asks what it would have asked.

    Args:
        trials: All trials so far, in order; those that are not told yet may be among them.
        space: What may be tried.
        settings: The sampler and its seed.

    Returns:
        The trial, running, in no study yet.
    """
    with quiet():
        sampler = _sampler(space, settings, len(trials))
        study = optuna.create_study(directions=list(DIRECTIONS), sampler=sampler)
        study.add_trials(trials)
        study.ask(dict(space.varied))
    asked = study.get_trials(deepcopy=False)[len(trials)]
    return create_trial(
        state=TrialState.RUNNING,
        params=_rounded(asked.params, space.varied),
        distributions=dict(space.varied),
        system_attrs=dict(asked.system_attrs),
    )


def most(space: Space, settings: Settings) -> int:
    """Give the number of trials to have in all: a grid has an end.

    Raises:
        ConfigError: The space has no grid, and one is asked for.
    """
    if settings.sampler != "grid":
        return settings.n_trials
    return min(settings.n_trials, math.prod(map(len, space.grid().values())))


def _rounded(
    parameters: Mapping[str, object], varied: Mapping[str, BaseDistribution]
) -> dict[str, object]:
    return {key: rounded(parameters[key], among) for key, among in varied.items()}


def _sampler(space: Space, settings: Settings, number: int) -> BaseSampler:
    if settings.sampler == "grid":  # The seed is of its order, of which the number is a place.
        return GridSampler(space.grid(), seed=settings.seed)
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    if settings.sampler == "random":
        return RandomSampler(seed=seed)
    if settings.sampler == "nsga2":
        return NSGAIISampler(population_size=settings.population, seed=seed)
    # Of trials that are not told yet it expects little, so that it asks for others beside them.
    return TPESampler(seed=seed, constant_liar=True)
