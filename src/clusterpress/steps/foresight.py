"""What is known, before any step has run, of the steps that come before one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from clusterpress.errors import ConfigError
from clusterpress.steps.kept_values import pruned_said


@dataclass
class _Future:
    """What the steps that were checked so far will have done to a network.

    Attributes:
        narrower: Whether layers will be narrower, so that their rows are not final.
        pruned: Names of layers of which weights will be pruned.
        coded: Names of layers that will have codes.
        shared: Those of them whose weights share the values of a codebook.
    """

    narrower: bool = False
    pruned: set[str] = field(default_factory=set)
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


def _future() -> _Future:
    return _FUTURE.get() or _Future()


def foresee(
    *,
    narrower: bool = False,
    pruned: Iterable[str] = (),
    coded: Iterable[str] = (),
    shared: Iterable[str] = (),
) -> None:
    """Tell the checks that follow what a step will do, by names of layers."""
    future, otherwise = _future(), {*pruned, *coded}
    future.narrower |= narrower
    future.pruned |= {*pruned}
    future.shared = (future.shared - otherwise) | {*shared}
    future.coded |= otherwise | future.shared


def rows_are_final() -> bool:
    """Say whether no step before will make the layers narrower."""
    return not _future().narrower


def sharing_is_foreseen() -> bool:
    """Say whether a step before will give a layer a codebook."""
    return bool(_future().shared)


def refuse_pruned(names: Iterable[str], step: str) -> None:
    """Refuse layers that a step before will prune, as ``require_unpruned`` would then.

    Raises:
        ConfigError: One will be.
    """
    for name in names:
        if name in _future().pruned:
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
