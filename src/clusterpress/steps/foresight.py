"""What is known, before any step has run, of the steps that come before one."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from clusterpress.errors import ConfigError
from clusterpress.steps.base import Checked
from clusterpress.steps.kept_values import pruned_said


@dataclass
class _Future:
    """What the steps that were checked so far will have done to a network.

    Attributes:
        narrower: Names of layers whose rows will be shorter.
        kept: How many weights at most a layer will have kept, by names of layers that will be
            pruned.
        coded: Names of layers that will have codes.
        shared: Those of them whose weights share the values of a codebook.
    """

    narrower: set[str] = field(default_factory=set)
    kept: dict[str, int] = field(default_factory=dict)
    coded: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)


_FUTURE: ContextVar[_Future | None] = ContextVar("future", default=None)


@contextmanager
def checking_in_order() -> Iterator[None]:
    """Let the checks of a method's steps know of the steps before their own.

    All of them look at the network as it is before any has run, in the steps' order. Outside of
    this a check judges by the network alone.
    """
    token = _FUTURE.set(_Future())
    try:
        yield
    finally:
        _FUTURE.reset(token)


def checkable(steps: Iterable[Any]) -> Iterator[Checked]:
    """Give the steps that can look at a network's layers before any has run."""
    for step in steps:
        if isinstance(step, Checked):
            yield step
        if step is not None and not type(step).__module__.startswith("clusterpress."):
            return  # It may make another network, which later steps look at as they run.


def _future() -> _Future:
    return _FUTURE.get() or _Future()


def foresee(
    *,
    narrower: Iterable[str] = (),
    masked: Mapping[str, int | None] | None = None,
    coded: Iterable[str] = (),
    shared: Iterable[str] = (),
) -> None:
    """Tell the checks that follow what a step will do, by names of layers.

    Args:
        narrower: Layers whose rows it will make shorter.
        masked: Layers that it will mask, and how many weights at most it will keep of one; None
            where all may be kept.
        coded: Layers to which it gives a code that has no mask.
        shared: Layers whose kept weights it lets share a codebook; what is pruned stays so.
    """
    future, masked = _future(), masked or {}
    for name in (replaced := {*coded}):
        future.kept.pop(name, None)
    for name, most in masked.items():
        if most is not None:
            future.kept[name] = min(most, future.kept.get(name, most))
    future.narrower |= {*narrower}
    future.shared = (future.shared - replaced - masked.keys()) | {*shared}
    future.coded |= replaced | masked.keys() | future.shared


def rows_are_final(name: str) -> bool:
    """Say whether no step before will make a layer's rows shorter."""
    return name not in _future().narrower


def widths_are_final() -> bool:
    """Say whether no step before will make any layer narrower."""
    return not _future().narrower


def most_kept(name: str, weights: int) -> int:
    """Say how many weights at most the steps before will leave of a layer's."""
    return min(weights, _future().kept.get(name, weights))


def sharing_is_foreseen() -> bool:
    """Say whether a step before will give a layer a codebook."""
    return bool(_future().shared)


def refuse_pruned(names: Iterable[str], step: str) -> None:
    """Refuse layers that a step before will prune, as ``require_unpruned`` would then.

    Raises:
        ConfigError: One will be.
    """
    for name in names:
        if name in _future().kept:
            raise ConfigError(pruned_said(name, step))


def refuse_coded(names: Iterable[str], step: str) -> None:
    """Refuse layers that will be held by a code, for a step that needs dense weights.

    Raises:
        ConfigError: One will be.
    """
    for name in names:
        if name in _future().coded:
            raise ConfigError(
                f"layer {name!r} will be held by a code, and {step} needs dense weights; put it "
                "before the steps that give a layer a code"
            )
