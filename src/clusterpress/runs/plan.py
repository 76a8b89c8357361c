"""A config, checked and taken apart: what will be built, and what it is called."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import nn

from clusterpress.errors import ClusterpressError, ConfigError
from clusterpress.models import MODELS
from clusterpress.runs.components import build, problems, schema_problems, target_of
from clusterpress.runs.compose import resolved
from clusterpress.runs.identity import identify
from clusterpress.runs.provenance import git_state
from clusterpress.runs.trackers import Tracker
from clusterpress.runs.weights import PublishedWeights, Weights, split_model
from clusterpress.schema import Config
from clusterpress.steps import Step
from clusterpress.steps.foresight import check_in_order
from clusterpress.training.recipe import Recipe

_SUPPLIED = ("classes", "channels")


@dataclass(frozen=True)
class Plan:
    """A checked point and its seed, with every object of it constructed.

    Attributes:
        config: The resolved config as plain values.
        data: The data set, not loaded.
        model: Name and arguments of the architecture.
        network: Builds the architecture, initialised from torch's global generator.
        weights: What the baseline starts from in place of the initial weights, or None.
        recipe: Trains the baseline.
        steps: The method's steps by name, in order.
        stage_ids: One id a stage, the baseline's first.
        point: Names the configuration without its seed.
        trackers: Who else is told of the run, by name.
        id: Names the run.
        protocol: Which epoch is reported: ``last`` or ``validation``.
    """

    config: dict[str, Any]
    data: Any
    model: dict[str, Any]
    network: Callable[[], nn.Module]
    weights: Weights | PublishedWeights | None
    recipe: Recipe
    steps: dict[str, Step]
    trainer: Any
    trackers: dict[str, Tracker]
    stage_ids: list[str]
    point: str
    id: str
    protocol: str

    @property
    def seed(self) -> int:
        """The root seed."""
        return int(self.config["seed"])

    def seed_of(self, stage: int) -> int:
        """Give the root seed of a stage: the baseline, stage 0, may have one of its own."""
        own = self.config["baseline_seed"]
        return self.seed if stage or own is None else int(own)

    @property
    def store(self) -> Path:
        """The folder of stages, artifacts and records."""
        return Path(self.config["store"])

    @property
    def title(self) -> str:
        """What the run is, in one line for people."""
        config = self.config
        return f"{self.data.name} {self.model['name']} {config['method']['name']} seed {self.seed}"


def plan(config: DictConfig) -> Plan:
    """Check a composed config as a whole and construct everything in it but the data.

    Raises:
        ConfigError: One sentence for every key and value that is wrong, all at once.
    """
    git_state()  # Before the hours in which the checkout may move on.
    plain = resolved(config)
    check_nodes(plain)
    parts, names = _built(plain), identify(plain)
    return Plan(
        config=plain,
        data=parts["data"],
        model=parts["model"],
        network=parts["network"],
        weights=parts["weights"],
        recipe=parts["recipe"],
        steps=parts["steps"],
        trainer=parts["trainer"],
        trackers=parts["trackers"],
        stage_ids=names.stages,
        point=names.point,
        id=names.run,
        protocol=_protocol(parts["recipe"], parts["steps"]),
    )


def check_nodes(plain: Mapping[str, Any]) -> None:
    """Check every key of a resolved config, without building anything.

    What this passes can be named (``identify``); whether its values fit only ``plan`` tells.

    Raises:
        ConfigError: One sentence for every key that is wrong, all of one kind at once: settings
            that there are not, parts that cannot be built, and keys of parts.
    """
    found = schema_problems(plain, Config) or [*_target_problems(plain)]
    if not found:
        found += _value_problems(plain)
        for key in ("data", "recipe", "method", "trainer", "tracker"):
            found += problems(plain[key], key)
        found += problems(split_model(plain["model"])[0], "model", _SUPPLIED)
    if found:
        raise ConfigError("; ".join(found))


def _target_problems(plain: Mapping[str, Any]) -> Iterator[str]:
    """Say which of the parts that every run builds name nothing that could be built."""
    steps, trackers = plain["method"]["steps"], plain["tracker"]
    nodes = {key: plain[key] for key in ("data", "model", "trainer")}
    nodes["recipe.train"] = plain["recipe"]["train"]
    nodes |= {f"method.steps.{name}": node for name, node in steps.items()}
    nodes |= {f"tracker.{name}": node for name, node in trackers.items()}
    for path, node in nodes.items():
        if not isinstance(node, Mapping) or "_target_" not in node:
            yield f"{path} has no _target_"
    if "baseline" in steps:
        yield "method.steps.baseline: baseline is the name of the first stage"


def _value_problems(plain: Mapping[str, Any]) -> list[str]:
    seeds = {key: plain[key] for key in ("seed", "baseline_seed") if plain[key] is not None}
    found = [f"{key} is {seed}, it must be 0 or more" for key, seed in seeds.items() if seed < 0]
    if not str(plain["store"]):
        found.append("store is empty, it must be a folder")
    return found


def _built(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Build every part, collecting all refusals before raising one error."""
    refused: list[str] = []

    def attempt(make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ClusterpressError as error:
            refused.append(str(error))
            return None

    parts: dict[str, Any] = {}
    for key in ("data", "trainer"):
        parts[key] = attempt(partial(build, plain[key], key))
    parts["trackers"] = {
        name: attempt(partial(_built_tracker, node, f"tracker.{name}"))
        for name, node in plain["tracker"].items()
    }
    parts["recipe"] = attempt(partial(build, plain["recipe"]["train"], "recipe.train"))
    parts["steps"] = {
        name: attempt(partial(built_step, node, f"method.steps.{name}"))
        for name, node in plain["method"]["steps"].items()
    }
    node, parts["weights"] = split_model(plain["model"])
    parts["model"] = attempt(partial(_architecture, node, parts["data"]))
    supplied = _supplied(parts["data"]) if parts["data"] is not None else {}
    parts["network"] = partial(build, node, "model", **supplied)
    network = None if refused else attempt(parts["network"])
    if network is not None and parts["weights"] is not None:
        attempt(partial(parts["weights"].check, network))
    if network is not None:
        attempt(partial(check_in_order, network, parts["steps"], path="method.steps."))
    if refused:
        raise ConfigError("; ".join(refused))
    return parts


def built_step(node: Mapping[str, Any], path: str) -> Step:
    """Build a step of a checked node.

    Args:
        node: Its ``_target_`` and knobs.
        path: Where the node stands, for the sentence.

    Raises:
        ConfigError: The constructor refused a value, or built no step.
    """
    step = build(node, path)
    if not isinstance(step, Step):
        raise ConfigError(
            f"{path}: {node['_target_']} is no step; it needs a version and apply(network, context)"
        )
    return step


def _built_tracker(node: Mapping[str, Any], path: str) -> Tracker:
    tracker = build(node, path)
    if not isinstance(tracker, Tracker):
        raise ConfigError(f"{path}: {node['_target_']} is no tracker; it needs start(run)")
    return tracker


def _supplied(data: Any) -> dict[str, int]:
    return {"classes": data.classes, "channels": data.shape[0]}


def _architecture(node: Mapping[str, Any], data: Any) -> dict[str, Any]:
    target = target_of(node)
    _check_image_size(target, data)
    names = [name for name, known in MODELS.items() if known is target]
    own = {key: value for key, value in node.items() if key != "_target_"}
    arguments = own | (_supplied(data) if data is not None else {})
    return {
        "name": names[0] if names else target.__name__.lower(),
        "args": arguments,
        "known": bool(names),
    }


def _check_image_size(target: Any, data: Any) -> None:
    """Check that a model which is made for one size of images gets it; others may take any."""
    size = getattr(target, "image_size", None)
    if data is not None and size is not None and tuple(data.shape[1:]) != tuple(size):
        raise ConfigError(
            f"model: {target.__name__} takes images of {size[0]}x{size[1]} pixels, those of "
            f"{data.name} have {data.shape[1]}x{data.shape[2]}"
        )


def _protocol(recipe: Recipe, steps: Mapping[str, Step]) -> str:
    """Say whether any training of the run, also one inside a step, chooses its epoch."""
    recipes = [recipe, *(getattr(step, "recipe", None) for step in steps.values())]
    chosen = [each for each in recipes if isinstance(each, Recipe) and each.select == "validation"]
    return "validation" if chosen else "last"
