"""The settings of a search, ``hydra.sweeper.*``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from clusterpress.errors import ConfigError
from clusterpress.suggest import nearest

SAMPLERS = ("tpe", "nsga2", "random", "grid")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_AT_LEAST = {"n_trials": 1, "n_jobs": 1, "population": 2, "seed": 0}


@dataclass(frozen=True)
class Settings:
    """How a search goes on.

    Attributes:
        study: Its name.
        n_trials: Trials in all.
        n_jobs: Trials that are asked for at a time; None means as many as the launcher runs.
        sampler: One of ``SAMPLERS``.
        population: Trials of a generation, of ``nsga2``.
        seed: Of the sampler.
    """

    study: str
    n_trials: int
    n_jobs: int | None
    sampler: str
    population: int
    seed: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Check the settings.

        Raises:
            ConfigError: One sentence for all that are wrong.
        """
        found = [_problem(each.name, values.get(each.name)) for each in fields(cls)]
        if any(found):
            raise ConfigError("; ".join(filter(None, found)))
        return cls(**{each.name: values[each.name] for each in fields(cls)})


SETTINGS = [each.name for each in fields(Settings)]


def check_name(name: str) -> None:
    """Check the name of a study, which becomes that of a file.

    Raises:
        ConfigError: It is none.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the name of a study is {name!r}; it must be 1 to 100 letters, digits, ., _ and -, "
            "a letter or digit first"
        )


def _problem(name: str, value: Any) -> str:
    check: Callable[[str, Any], str] = {"study": _of_study, "sampler": _of_sampler}.get(
        name, _of_number
    )
    return check(name, value)


def _of_study(name: str, value: Any) -> str:
    if value is None:
        return "a search needs a name: give hydra.sweeper.study=NAME"
    try:
        check_name(str(value))
    except ConfigError as error:
        return f"hydra.sweeper.{name}: {error}"
    return "" if isinstance(value, str) else f"hydra.sweeper.{name} is {value!r}, not text"


def _of_sampler(name: str, value: Any) -> str:
    if value in SAMPLERS:
        return ""
    known = f"{', '.join(SAMPLERS)}; {nearest(str(value), SAMPLERS)}"
    return f"hydra.sweeper.{name} is {value!r}; it must be one of {known}"


def _of_number(name: str, value: Any) -> str:
    if value is None and name == "n_jobs":
        return ""
    least = _AT_LEAST[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        return f"hydra.sweeper.{name} is {value!r}; it must be a whole number from {least} on"
    return ""
