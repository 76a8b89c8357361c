"""Objects from ``_target_`` nodes: check every key first, then build."""

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException

from clusterpress.errors import ClusterpressError, ConfigError
from clusterpress.suggest import nearest


def target_of(node: Mapping[str, Any]) -> Any:
    """Give the class or function that a node names.

    Raises:
        ConfigError: It cannot be imported.
    """
    try:
        return hydra.utils.get_object(node["_target_"])
    except Exception as error:
        raise ConfigError(f"_target_ {node['_target_']!r} cannot be imported: {error}") from error


def parameters_of(target: Any) -> dict[str, inspect.Parameter]:
    """Give what a target's constructor takes, by name."""
    return dict(inspect.signature(target).parameters)


def problems(node: Any, path: str, supplied: Iterable[str] = ()) -> list[str]:
    """List what is wrong with the keys of a node and of all nodes inside it.

    Args:
        node: A plain value of a resolved config.
        path: Where the node stands, for the sentences.
        supplied: Arguments of the node's own target that are supplied when it is built.
    """
    if isinstance(node, list):
        return [p for i, item in enumerate(node) for p in problems(item, f"{path}.{i}")]
    if not isinstance(node, Mapping):
        return []
    found = [p for key, item in node.items() for p in problems(item, f"{path}.{key}")]
    if "_target_" not in node:
        return found
    try:
        takes = parameters_of(target_of(node))
    except ConfigError as error:
        return [*found, f"{path}: {error}"]
    return found + _key_problems(node, path, takes, set(supplied))


def schema_problems(plain: Mapping[str, Any], schema: Any, path: str = "") -> list[str]:
    """List the keys that a typed part of the config does not have, or lacks.

    ``+key=value`` adds such, ``~key`` takes one away.

    Args:
        plain: The resolved config, or a part of it.
        schema: Its dataclass.
        path: Where the part stands, with a dot at its end.
    """
    known = {field.name: field for field in dataclasses.fields(schema)}
    found = [
        f"{path}{key} is not a setting; {nearest(key, known)}" for key in plain if key not in known
    ]
    found += [f"{path}{name} is missing" for name in known if name not in plain]
    for name, field in known.items():
        if dataclasses.is_dataclass(field.type) and name in plain:
            found += schema_problems(plain[name], field.type, f"{path}{name}.")
    return found


def _key_problems(
    node: Mapping[str, Any], path: str, takes: dict[str, inspect.Parameter], supplied: set[str]
) -> list[str]:
    given = {str(key) for key in node} - {"_target_"}
    free = set(takes) - supplied
    unknown = [
        f"{path}.{key} is not a setting of {node['_target_']}; {nearest(key, sorted(free))}"
        for key in sorted(given - free)
    ]
    required = {name for name in free if takes[name].default is inspect.Parameter.empty}
    return unknown + [f"{path}.{key} is missing" for key in sorted(required - given)]


def build(node: Mapping[str, Any], path: str, **supplied: Any) -> Any:
    """Build the object of a node whose keys were checked.

    Raises:
        ConfigError: The constructor refused a value.
    """
    try:
        return hydra.utils.instantiate(dict(node), _convert_="all", **supplied)
    except InstantiationException as error:
        cause = error.__cause__
        reason = cause if isinstance(cause, ClusterpressError) else (cause or error)
        raise ConfigError(f"{path}: {reason}") from error
