"""The steps of a method, by its name or as they are given."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clusterpress.errors import ConfigError
from clusterpress.places import folder
from clusterpress.runs.components import parameters_of, problems, target_of
from clusterpress.runs.compose import compose, resolved
from clusterpress.runs.plan import built_step
from clusterpress.schema import RecipeConfig
from clusterpress.steps import Step
from clusterpress.suggest import nearest
from clusterpress.training.recipe import Recipe

Recipes = Recipe | Mapping[str, Recipe]
RECIPES = tuple(field.name for field in dataclasses.fields(RecipeConfig))


def named_steps(
    method: str, settings: Mapping[str, Any] | None = None, recipes: Recipes | None = None
) -> dict[str, Step]:
    """Build the steps of conf/method/<method>.yaml by their names.

    Where the settings say no number, layers with fewer weights or kernels than centroids get
    fewer, and layers that blocks do not divide stay as they are (``exact=False``).

    Args:
        method: The method's name.
        settings: Knobs in place of the file's, by ``step.knob``, such as ``{"cluster.k": 128}``.
        recipes: How its steps train: one for all, or by the names of ``RecipeConfig``; None for
            the steps' own, which were made for small images.

    Raises:
        ConfigError: There is no such method, step, knob or recipe, or a value does not fit.
    """
    known = sorted(path.stem for path in (folder("conf") / "method").glob("*.yaml"))
    if method not in known:
        raise ConfigError(f"there is no method {method!r}; {nearest(method, known)}")
    settings = _by_key(settings)
    config = compose([f"method={method}"])
    for name, node in config.method.steps.items():
        asked = {f"{name}.{knob}" for knob in ("k", "bits", "block")} & set(settings)
        if "exact" in parameters_of(target_of(node)) and not asked:
            # What nobody asked for is to stop no network that has a small layer.
            OmegaConf.update(node, "exact", False, force_add=True)
    for name, recipe in _by_name(recipes).items():
        node = {"_target_": f"{Recipe.__module__}.Recipe", **dataclasses.asdict(recipe)}
        OmegaConf.update(config, f"recipe.{name}", node, merge=False)
    for key, value in settings.items():
        _set(config, method, key, value)
    nodes = resolved(config)["method"]["steps"]
    found = [line for name, node in nodes.items() for line in problems(node, name)]
    if found:
        raise ConfigError("; ".join(found))
    return {name: built_step(node, name) for name, node in nodes.items()}


def _by_key(settings: object) -> Mapping[str, Any]:
    if settings is None:
        return {}
    if not isinstance(settings, Mapping) or not all(isinstance(key, str) for key in settings):
        raise ConfigError(f'settings is {settings!r}, it must be a dict like {{"cluster.k": 128}}')
    return settings


def _set(config: DictConfig, method: str, key: str, value: Any) -> None:
    """Put one setting in place of the file's."""
    step, _, knob = key.partition(".")
    if step not in config.method.steps:
        steps = ", ".join(map(str, config.method.steps))
        raise ConfigError(f"{method} has no step {step!r} for the setting {key!r}, but {steps}")
    if not knob or knob.startswith("_"):
        raise ConfigError(f"the setting {key!r} names no knob of {step}; like {step}.k=128")
    try:
        OmegaConf.update(config, f"method.steps.{key}", value, merge=False, force_add=True)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"the setting {key!r} cannot be {value!r}: {reason}") from error


def listed_steps(steps: Sequence[Step]) -> dict[str, Step]:
    """Name given steps by their place and class.

    Raises:
        ConfigError: There is none, or one is no step.
    """
    if not isinstance(steps, Sequence):
        raise ConfigError(f"method is {steps!r}; it must be a method's name or a list of steps")
    if not steps:
        raise ConfigError("method is an empty list; it must be a method's name or a list of steps")
    wrong = [step for step in steps if isinstance(step, type) or not isinstance(step, Step)]
    if wrong:
        raise ConfigError(
            f"method has {wrong[0]!r}, which is no step; a step has a version and "
            "apply(network, context)"
        )
    return {f"{place}.{type(step).__name__}": step for place, step in enumerate(steps, 1)}


def _by_name(recipes: Recipes | None) -> dict[str, Recipe]:
    if recipes is None:
        return {}
    if not isinstance(recipes, Recipe | Mapping):
        raise ConfigError(f"recipe is {recipes!r}, it must be a Recipe, or Recipes by name")
    given = dict.fromkeys(RECIPES, recipes) if isinstance(recipes, Recipe) else dict(recipes)
    for name, recipe in given.items():
        if name not in RECIPES or not isinstance(recipe, Recipe):
            raise ConfigError(
                f"recipe has {name!r}: {recipe!r}, it must be a Recipe, or Recipes by the names "
                f"{', '.join(RECIPES)}"
            )
    return given
