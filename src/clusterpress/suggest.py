"""Names that are given in settings, and the nearest valid word to a wrong one."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from clusterpress.errors import ConfigError

Kept = TypeVar("Kept")


def nearest(word: str, valid: Iterable[str]) -> str:
    """Say which valid word is nearest, as the end of an error's sentence."""
    near = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.0)
    return f"nearest is {near[0]!r}" if near else "nothing is valid here"


def named(key: object, knob: str) -> str:
    """Give a name as text; a config holds the name of an ``nn.Sequential``'s layer as a number.

    Raises:
        ConfigError: It is neither text nor a whole number.
    """
    if isinstance(key, bool) or not isinstance(key, str | int):
        # 1.10 and 1.1 are one number, but two layers.
        raise ConfigError(
            f"{knob} names {key!r}, which is neither text nor a whole number; put a name such as "
            "1.10 in quotes"
        )
    return str(key)


def by_name(setting: Mapping[Any, Kept], knob: str) -> dict[str, Kept]:
    """Give a mapping whose keys are text.

    Raises:
        ConfigError: A key is no name, as for ``named``; or two are one name, as 1 and "1".
    """
    found: dict[str, Kept] = {}
    for key, value in setting.items():
        name = named(key, knob)
        if name in found:
            raise ConfigError(
                f"{knob} names {name!r} twice, as a number and as text, with {found[name]!r} and "
                f"{value!r}; give it once"
            )
        found[name] = value
    return found
