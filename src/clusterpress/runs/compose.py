"""Compose a config from overrides; a wrong one is explained before anything is built."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clusterpress.errors import ConfigError
from clusterpress.places import folder
from clusterpress.runs.components import parameters_of, target_of
from clusterpress.schema import register
from clusterpress.suggest import nearest


def compose(overrides: Sequence[str]) -> DictConfig:
    """Compose conf/config.yaml with Hydra overrides, without a sweep.

    Raises:
        ConfigError: An override is no override, or its key or value does not fit; the nearest
            valid key is named.
    """
    register()
    try:
        with hydra.initialize_config_dir(str(folder("conf")), version_base="1.3"):
            return _composed(overrides)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        # A ValueError is what Hydra's list of defaults raises of a key that is empty: =3.
        raise ConfigError(" ".join(str(error).split())) from error


def _composed(overrides: Sequence[str]) -> DictConfig:
    try:
        return hydra.compose("config", overrides=list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        unknown = _unknown_choice(overrides, str(error)) or _unknown_key(overrides)
        if unknown is None:
            raise
        raise ConfigError(unknown) from error


def resolved(config: DictConfig) -> dict[str, Any]:
    """Give a composed config as plain values, every interpolation resolved.

    Raises:
        ConfigError: A value is missing, or an interpolation leads nowhere.
    """
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def sweep_points(overrides: Sequence[str]) -> list[list[str]]:
    """Give the overrides of every point of a sweep (``seed=0,1,2``): the product of its values.

    Raises:
        ConfigError: A line is no override, gives no value, or an interval, which only a search
            takes.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        return [list(point) for point in product(*map(_alternatives, parsed))]
    except HydraException as error:
        raise ConfigError(" ".join(str(error).split())) from error


def _alternatives(override: Override) -> list[str]:
    line = override.input_line or ""
    if not override.is_sweep_override():
        return [line]
    if override.is_interval_sweep():
        raise ConfigError(f"{line} has no end of values; a search takes it: hydra/sweeper=optuna")
    values = [f"{line.split('=', 1)[0]}={value}" for value in override.sweep_string_iterator()]
    if not values:
        raise ConfigError(f"{line} gives no value, so there is nothing to run")
    return values


def _unknown_choice(overrides: Sequence[str], error: str) -> str | None:
    """Name the wrong one of several choices (``tracker=[csv,x]``); Hydra lists none for those."""
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        group, names = override.key_or_group, override.value()
        for name in names if isinstance(names, list) else []:
            if f"'{group}/{name}'" in error:
                known = sorted(path.stem for path in (folder("conf") / group).glob("*.yaml"))
                return f"{str(name)!r} is no {group}; {nearest(str(name), known)}"
    return None


def _unknown_key(overrides: Sequence[str]) -> str | None:
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    groups = {path.name for path in folder("conf").iterdir() if path.is_dir()}
    choices = [
        o.input_line or ""
        for o in parsed
        if o.key_or_group in groups and not isinstance(o.value(), dict)
    ]
    config = hydra.compose("config", overrides=choices)
    plain = OmegaConf.to_container(config, resolve=False)
    known = set(_keys(plain)) | groups
    for override in parsed:
        key = str(override.key_or_group)
        if key not in known and not key.startswith("hydra"):
            there = _followed(key, plain)
            if there in known:
                return f"{key!r} is another node's here; set {there!r}"
            return f"{key!r} is not a setting; {nearest(there, sorted(known))}"
    return None


def _followed(key: str, plain: Any) -> str:
    """Say where a key is set of a node that is another one, as ``recipe.sparse`` may be."""
    node, names = plain, key.split(".")
    for number, name in enumerate(names[:-1], 1):
        node = node.get(name) if isinstance(node, Mapping) else None
        other = re.fullmatch(r"\$\{([\w.]+)\}", node) if isinstance(node, str) else None
        if other:
            return _followed(".".join([other[1], *names[number:]]), plain)
    return key


def _keys(node: Any, prefix: str = "") -> list[str]:
    if not isinstance(node, Mapping):
        return []
    names = [str(key) for key in node if not str(key).startswith("_")]
    if "_target_" in node:
        names += [name for name in parameters_of(target_of(node)) if name not in node]
    keys = [f"{prefix}{name}" for name in names]
    for name in names:
        keys += _keys(node.get(name), f"{prefix}{name}.")
    return keys
