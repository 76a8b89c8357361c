"""The suite points by the identity that their records carry."""

import copy
from collections.abc import Sequence
from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clusterpress.places import folder
from clusterpress.runs.compose import compose, resolved
from clusterpress.runs.identity import identify
from clusterpress.runs.suites import chosen, suite_points


def named_points(
    extra: Sequence[str] = (), data: Sequence[str] = ()
) -> dict[str, list[tuple[str, str]]]:
    """Give, for every point id, the suite points ``(paper, name)`` that have it.

    A suite point is one in every profile that has a recipe for its data and model.

    Args:
        extra: Overrides that all points were run with; where they choose a profile, it is the
            only one.
        data: Data sets whose suites are named; none means all.

    Raises:
        ConfigError: A choice of ``extra`` is none that there is.
    """
    names: dict[str, list[tuple[str, str]]] = {}
    for point in chosen(suite_points(), [], [*data]):
        for profile in _profiles((*point.overrides, *extra)):
            try:
                config = _shortcut((*point.overrides, *profile, *extra))
            except OmegaConfBaseException:
                # What fits one suite need not fit another, which then was not run with it.
                if not extra:
                    raise
                continue
            names.setdefault(identify(resolved(config)).point, []).append((point.paper, point.name))
    return names


def _profiles(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    chosen = dict(line.split("=", 1) for line in overrides)
    recipe = f"{chosen.get('data')}_{chosen.get('model')}.yaml"
    has_paper = "profile" not in chosen and (folder("conf") / "recipe/paper" / recipe).is_file()
    return [(), ("profile=paper",)] if has_paper else [()]


def point_config(overrides: Sequence[str]) -> DictConfig:
    """Compose a suite point as ``compose`` does, but each choice of groups only once.

    Composing takes Hydra a tenth of a second, and the points of a suite differ in a few values.

    Raises:
        ConfigError: A key or value does not fit.
    """
    try:
        return _shortcut(overrides)
    except (HydraException, OmegaConfBaseException):
        return compose(overrides)  # It says what is wrong, or knows what the shortcut does not.


def _shortcut(overrides: Sequence[str]) -> DictConfig:
    groups = {path.name for path in folder("conf").iterdir() if path.is_dir()}
    choices = tuple(line for line in overrides if line.split("=", 1)[0] in groups)
    values = [line for line in overrides if line not in choices]
    config = copy.deepcopy(_composed(choices))
    for override in OverridesParser.create().parse_overrides(values):
        OmegaConf.update(config, str(override.key_or_group), override.value(), merge=True)
    return config


@cache
def _composed(choices: tuple[str, ...]) -> DictConfig:
    return compose(choices)
