"""What a run is called: a hash of the settings that differ from the defaults, and its seed."""

import hashlib
import inspect
import json
from collections.abc import Mapping
from typing import Any

from clusterpress.runs.components import parameters_of, target_of


def digest(value: Any) -> str:
    """Hash a JSON-safe value to 16 hexadecimal digits; the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def settings(node: Any) -> Any:
    """Reduce a node to what its result depends on.

    A ``_target_`` node becomes its target, its ``version`` (where it has one) and those arguments
    that differ from the constructor's defaults. So a new argument with a default changes no old
    identity, and a raised version changes all of them.
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
    differing = {
        key: value
        for key, value in reduced.items()
        if key not in defaults or settings(defaults[key]) != value
    }
    return {
        "target": f"{target.__module__}.{target.__qualname__}",
        "version": getattr(target, "version", 0),
        **differing,
    }


def chain(first: Any, steps: list[Any], seed: int) -> list[str]:
    """Name the stages of a run: each depends on its own settings and on all before it.

    Args:
        first: Settings of the baseline: data, model and recipe.
        steps: Settings of each step in order.
        seed: The root seed.

    Returns:
        One id a stage, the baseline's first. Runs that begin alike share the ids they share.
    """
    ids = [digest({"baseline": first, "seed": seed})]
    for step in steps:
        ids.append(digest({"after": ids[-1], "step": step}))
    return ids
