"""Names that are given in settings, and the nearest valid word to a wrong one."""

import difflib
from collections.abc import Iterable

from clusterpress.errors import ConfigError


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
