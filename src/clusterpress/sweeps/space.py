"""What a search may try, in Hydra's own words for sweeps: lists, ranges and intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from clusterpress.errors import ConfigError

DIGITS = 6
"""Significant digits of a number of an interval: who reads the command need not read 17."""

_STEPPED_DIGITS = 12
_REFUSED = {
    "store": "a study is kept in one store",
    "data": "errors on other images do not compare",
}


@dataclass(frozen=True)
class Space:
    """What a search varies, and what it leaves as it is.

    Attributes:
        varied: What each key may be; keys as they were typed, with their ``+``.
        fixed: All other overrides but the seed.
        seeds: The root seeds at which each trial runs.
    """

    varied: Mapping[str, BaseDistribution]
    fixed: tuple[str, ...]
    seeds: tuple[int, ...]

    def overrides(self, parameters: Mapping[str, object]) -> tuple[str, ...]:
        """Give the overrides of a point, without its seed."""
        return (*self.fixed, *(f"{key}={parameters[key]}" for key in self.varied))

    def corner(self, *, high: bool) -> tuple[str, ...]:
        """Give the overrides of the point at which every key has its first or its last value."""
        return self.overrides({key: _end(each, high) for key, each in self.varied.items()})

    def grid(self) -> dict[str, list[str | int | float]]:
        """Give the values that each key may have.

        Raises:
            ConfigError: It may have more than one can count.
        """
        endless = [key for key, each in self.varied.items() if not _countable(each)]
        if endless:
            raise ConfigError(
                f"hydra.sweeper.sampler=grid tries all values, and {endless[0]} is an interval; "
                "give a list or a range, or choose tpe, nsga2 or random"
            )
        return {key: _values(each) for key, each in self.varied.items()}


def space_of(lines: Sequence[str]) -> Space:
    """Read the overrides of a search.

    Args:
        lines: Overrides of points; what has several values is searched, but for ``seed``.

    Raises:
        ConfigError: A line is no override, what it gives cannot be searched, or nothing is
            searched.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(lines))
        seeds = [each for each in parsed if each.key_or_group == "seed"]
        others = [each for each in parsed if each.key_or_group != "seed"]
        varied = {_typed(each): _distribution(each) for each in others if each.is_sweep_override()}
        fixed = tuple(each.input_line or "" for each in others if not each.is_sweep_override())
        numbers = tuple(_seeds(seeds[-1])) if seeds else (0,)
    except HydraException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    _check([each.key_or_group for each in others], others)
    return Space(varied, fixed, numbers)


def rounded(value: object, among: BaseDistribution) -> object:
    """Give a number that was asked for with few digits, still within its ends."""
    if not isinstance(among, FloatDistribution):
        return value
    digits = DIGITS if among.step is None else _STEPPED_DIGITS
    return min(max(float(f"{value:.{digits}g}"), among.low), among.high)


def _check(keys: Sequence[str], parsed: Sequence[Override]) -> None:
    searched = [each.key_or_group for each in parsed if each.is_sweep_override()]
    if not searched:
        raise ConfigError(
            "there is nothing to search: no override has several values, such as "
            "method.steps.prune.keep=interval(0.05,0.5) or method.steps.share.bits=range(2,6)"
        )
    for key in searched:
        if keys.count(key) > 1:
            raise ConfigError(f"{key} is given {keys.count(key)} times; a search needs it once")
        if key in _REFUSED:
            raise ConfigError(f"a search cannot vary {key}: {_REFUSED[key]}")


def _typed(override: Override) -> str:
    return (override.input_line or "").split("=", 1)[0]


def _seeds(override: Override) -> list[int]:
    values = list(override.sweep_iterator()) if override.is_discrete_sweep() else [override.value()]
    if not all(isinstance(value, int) and value >= 0 for value in values):
        raise ConfigError(f"{override.input_line}: seeds must be whole numbers from 0 on")
    return [int(str(value)) for value in values]


def _distribution(override: Override) -> BaseDistribution:
    swept, line = override.value(), override.input_line
    tags: set[str] = getattr(swept, "tags", set())
    if tags - {"log"}:
        raise ConfigError(f"{line}: the only tag is log, not {', '.join(sorted(tags - {'log'}))}")
    try:
        if isinstance(swept, IntervalSweep):
            return _interval(swept)
        if isinstance(swept, RangeSweep):
            return _range(swept)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{line}: {error}") from error
    if tags:
        raise ConfigError(f"{line}: a list has no order, so tag(log, ...) does not fit it")
    words = list(dict.fromkeys(override.sweep_string_iterator()))
    return CategoricalDistribution(words)


def _interval(swept: IntervalSweep) -> BaseDistribution:
    low, high, log = swept.start, swept.end, "log" in swept.tags
    assert low is not None
    assert high is not None
    if not low < high:
        raise ValueError(
            f"an interval goes from a number to a larger one, not from {low} to {high}"
        )
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)


def _range(swept: RangeSweep) -> BaseDistribution:
    if not swept.step:
        raise ValueError("the step of a range must not be 0")
    values, log = sorted(swept.range()), "log" in swept.tags
    if not values:
        raise ValueError("the range is empty; its end does not belong to it")
    whole, step = all(isinstance(value, int) for value in values), abs(swept.step)
    if log and (not whole or step != 1):
        raise ValueError("tag(log, range(...)) needs whole numbers and the step 1")
    if whole:
        return IntDistribution(values[0], values[-1], log=log, step=int(step))
    return FloatDistribution(values[0], values[-1], step=step)


def _end(among: BaseDistribution, high: bool) -> object:
    if isinstance(among, CategoricalDistribution):
        return among.choices[-1 if high else 0]
    assert isinstance(among, IntDistribution | FloatDistribution)
    return among.high if high else among.low


def _countable(among: BaseDistribution) -> bool:
    return not isinstance(among, FloatDistribution) or among.step is not None


def _values(among: BaseDistribution) -> list[str | int | float]:
    if isinstance(among, CategoricalDistribution):
        return [str(choice) for choice in among.choices]
    if isinstance(among, IntDistribution):
        return list(range(among.low, among.high + 1, among.step))
    assert isinstance(among, FloatDistribution)
    step = among.step or 1.0
    count = round((among.high - among.low) / step) + 1
    return [float(f"{among.low + step * n:.{_STEPPED_DIGITS}g}") for n in range(count)]
