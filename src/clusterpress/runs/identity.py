"""What a run is called: a hash of the settings that differ from the defaults, and its seed."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clusterpress import artifact
from clusterpress.errors import ConfigError
from clusterpress.runs.components import parameters_of, target_of
from clusterpress.runs.weights import split_model

# Raised when what a record holds would change for the same stages.
RECORD_VERSION = 1
# Raised when a run measures more of the same networks: runs get new names, points keep theirs, and
# a suite that is run again makes new records from the stages that it finds. 2: test_images.
EVALUATION_VERSION = 2


def digest(value: Any) -> str:
    """Hash a JSON-safe value to 16 hexadecimal digits; the order of keys does not matter.

    Raises:
        ConfigError: A number in it is not finite.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise ConfigError(f"a setting is no finite number ({error})") from error
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def settings(node: Any) -> Any:
    """Reduce a node to what its result depends on.

    A ``_target_`` node becomes its target, its ``version`` (where it has one) and those arguments
    that differ from the constructor's defaults. So a new argument with a default changes no old
    identity, and a raised version changes all of them. What a target calls ``incidental`` says
    only how it runs, as a number of processes, and is left out.

    Raises:
        ConfigError: A target has an argument ``target`` or ``version``, which two classes would
            share their names by.
    """
    if isinstance(node, list | tuple):
        return [settings(item) for item in node]
    if not isinstance(node, Mapping):
        return int(node) if isinstance(node, float) and node.is_integer() else node
    reduced = {str(key): settings(item) for key, item in node.items() if key != "_target_"}
    if "_target_" not in node:
        return reduced
    target = target_of(node)
    defaults = {
        name: parameter.default
        for name, parameter in parameters_of(target).items()
        if parameter.default is not inspect.Parameter.empty
    }
    if taken := sorted({"target", "version"} & (reduced.keys() | defaults.keys())):
        raise ConfigError(
            f"{target.__qualname__} has an argument {taken[0]!r}: give it another name"
        )
    incidental: frozenset[str] = getattr(target, "incidental", frozenset())
    differing = {
        key: value
        for key, value in reduced.items()
        if key not in incidental and (key not in defaults or settings(defaults[key]) != value)
    }
    return {
        "target": f"{target.__module__}.{target.__qualname__}",
        "version": getattr(target, "version", 0),
        **differing,
    }


@dataclass(frozen=True)
class Identity:
    """What a run and its parts are called.

    Attributes:
        point: Names the configuration without its seed.
        run: Names the configuration at its seed.
        stages: Names each stage of the run, the baseline's first.
    """

    point: str
    run: str
    stages: list[str]


def identify(plain: Mapping[str, Any]) -> Identity:
    """Name the run of a resolved config.

    Raises:
        ConfigError: A ``_target_`` cannot be imported, or the weights to start from are missing.
    """
    architecture, weights = split_model(plain["model"])
    first = {"data": settings(plain["data"]), "model": settings(architecture)}
    if weights is not None:
        # What they are and not where they lie.
        first["weights"] = weights.sha256
    first |= {"recipe": settings(plain["recipe"]["train"])} | _machine(plain)
    moves = [settings(node) for node in plain["method"]["steps"].values()]
    method = {key: plain["method"][key] for key in ("name", "paper")}
    marks = {key: plain[key] for key in ("profile", "selected", "position_bits")}
    seed, own = int(plain["seed"]), plain["baseline_seed"]
    if own is not None:
        marks["baseline_seed"] = own
    # At any one seed: only that the chain is the same counts here.
    point = digest(
        {"stages": chain(first, moves, 0)[-1], **method, **marks, "record": RECORD_VERSION}
    )
    # A file's format changes its bytes, and neither what was trained nor what a point is.
    written = {} if artifact.VERSION == 1 else {"artifact": artifact.VERSION}
    run = digest({"point": point, "seed": seed, **written, "evaluation": EVALUATION_VERSION})
    return Identity(point, run, chain(first, moves, seed, seed if own is None else own))


def _machine(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Give what of the trainer changes what is trained.

    Where a training runs is no part of its identity otherwise.
    """
    trainer = plain["trainer"]
    own = {str(each.get("precision", "32")) for each in _recipes(plain)}
    given = trainer.get("precision")
    parts = {
        "limit": (trainer.get("limit"), None),
        # In place of that of every recipe.
        "precision": (None if given is None or own == {str(given)} else str(given), None),
        # Batches are shared out, and each device draws its own augmentation.
        "devices": (trainer.get("devices", 1), 1),
    }
    return {key: value for key, (value, default) in parts.items() if value != default}


def _recipes(plain: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the recipe of the baseline and those that the method's steps have."""
    steps = plain["method"]["steps"].values()
    values = (value for step in steps for value in step.values())
    inner = (value for value in values if isinstance(value, Mapping) and "epochs" in value)
    return [plain["recipe"]["train"], *inner]


def chain(first: Any, steps: list[Any], seed: int, baseline_seed: int | None = None) -> list[str]:
    """Name the stages of a run: each depends on its own settings and on all before it.

    Args:
        first: Settings of the baseline: data, model and recipe.
        steps: Settings of each step in order.
        seed: The root seed.
        baseline_seed: The baseline's, where it is another.

    Returns:
        One id a stage, the baseline's first. Runs that begin alike share the ids they share.
    """
    own = seed if baseline_seed is None else baseline_seed
    ids = [digest({"baseline": first, "seed": own})]
    drawn = {} if own == seed else {"seed": seed}
    for step in steps:
        ids.append(digest({"after": ids[-1], "step": step, **drawn}))
    return ids
