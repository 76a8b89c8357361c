"""What is known, before any step has run, of the steps that come before one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import nn

from clusterpress.codes import Shared, code_of, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Checked
from clusterpress.steps.example import example_of
from clusterpress.steps.kept_values import mask_of, pruned_said


@dataclass
class _Future:
    """What the steps that were checked so far will have done to a network.

    Attributes:
        network: It, at the widths that it will have as far as they are known.
        begun: It, before any step.
        example: An image that it takes, shape (1, C, H, W), where one was given.
        shorter: Names of layers whose rows will be shorter, nobody knows yet by how much.
        fewer: Names of layers that will have fewer weights, likewise.
        kept: How many weights at most a layer will have kept, by names of layers that will be
            pruned.
        coded: Names of layers that those steps give codes.
        shared: Names of layers whose weights share the values of a codebook.
    """

    network: nn.Module
    begun: nn.Module
    example: torch.Tensor | None = None
    shorter: set[str] = field(default_factory=set)
    fewer: set[str] = field(default_factory=set)
    kept: dict[str, int] = field(default_factory=dict)
    coded: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, network: nn.Module, example: torch.Tensor | None = None) -> Self:
        """Begin with the codes that a network has before any step."""
        future = cls(network, network, example)
        for name, layer in weight_layers(network):
            mask, code = mask_of(layer), code_of(layer)
            if mask is not None and not bool(mask.all()):
                future.kept[name] = int(mask.sum())
            if isinstance(code, Shared):
                future.shared.add(name)
        return future


_FUTURE: ContextVar[_Future | None] = ContextVar("future", default=None)


@contextmanager
def checking_in_order(
    network: nn.Module, example: torch.Tensor | None = None
) -> Iterator[Callable[[Checked], None]]:
    """Give what lets a step look at a network that the steps before it will have left.

    Outside of this a check judges by the network alone.

    Args:
        network: As it is before any step; it is not changed.
        example: One normalised image that it takes, shape (1, C, H, W), where it does not say
            which it takes.
    """
    token = _FUTURE.set(future := _Future.of(network, example))
    try:
        yield lambda step: step.check(future.network)
    finally:
        _FUTURE.reset(token)


def check_in_order(
    network: nn.Module,
    steps: Mapping[str, Any],
    example: torch.Tensor | None = None,
    *,
    path: str = "",
) -> None:
    """Let steps look at a network, each as those before will have left it, up to the first refusal.

    What comes after a step that is refused nobody can judge.

    Args:
        network: As it is before any step; it is not changed.
        steps: In order, by name.
        example: As of ``checking_in_order``.
        path: Where the names stand, with a dot at its end.

    Raises:
        ConfigError: A step refuses the network; it is named.
    """
    with checking_in_order(network, example) as check:
        for name, step in checkable(steps):
            try:
                check(step)
            except ConfigError as error:
                raise ConfigError(f"{path}{name}: {error}") from error


def checkable(steps: Mapping[str, Any]) -> Iterator[tuple[str, Checked]]:
    """Give the steps that can look at a network's layers before any has run, with their names."""
    for name, step in steps.items():
        if isinstance(step, Checked):
            yield name, step
        if step is not None and not type(step).__module__.startswith("clusterpress."):
            return  # It may make another network, which later steps look at as they run.


def _future(network: nn.Module) -> _Future:
    return _FUTURE.get() or _Future.of(network)


def foresee(
    *,
    masked: Mapping[str, int | None] | None = None,
    coded: Iterable[str] = (),
    shared: Iterable[str] = (),
) -> None:
    """Tell the checks that follow what a step will do, by names of layers.

    Args:
        masked: Layers that it will mask, and how many weights at most it will keep of one; None
            where all may be kept.
        coded: Layers to which it gives a code that has no mask.
        shared: Layers whose kept weights it lets share a codebook; what is pruned stays so.
    """
    future, masked = _FUTURE.get(), masked or {}
    if future is None:
        return
    for name in (replaced := {*coded}):
        future.kept.pop(name, None)
    for name, most in masked.items():
        if most is not None:
            future.kept[name] = min(most, future.kept.get(name, most))
    future.shared = (future.shared - replaced - masked.keys()) | {*shared}
    future.coded |= replaced | masked.keys() | future.shared


def foresee_widths(
    network: nn.Module | None = None, *, shorter: Iterable[str] = (), fewer: Iterable[str] = ()
) -> None:
    """Tell the checks that follow how wide a step will leave the layers.

    Args:
        network: A network of those widths, where they are known.
        shorter: Otherwise names of the layers whose rows will be shorter.
        fewer: And of those which will have fewer weights, for either reason.
    """
    future = _FUTURE.get()
    if future is not None:
        future.network = future.network if network is None else network
        future.shorter |= {*shorter}
        future.fewer |= {*fewer}


def example_for(network: nn.Module) -> torch.Tensor | None:
    """Give an image that a network takes, shape (1, C, H, W); None where none is known."""
    future = _FUTURE.get()
    given = None if future is None else future.example
    return example_of(network) if given is None else given


def rows_are_final(name: str) -> bool:
    """Say whether a layer's rows are as long as they will be."""
    future = _FUTURE.get()
    return future is None or name not in future.shorter


def size_is_final(name: str) -> bool:
    """Say whether a layer has as many weights as it will have."""
    future = _FUTURE.get()
    return future is None or name not in future.fewer


def widths_are_final() -> bool:
    """Say whether all layers are as wide as they will be."""
    future = _FUTURE.get()
    return future is None or not future.fewer


def neurons_are_final() -> bool:
    """Say whether no neuron will be gone: of a narrower network nobody knows which are left."""
    future = _FUTURE.get()
    return future is None or (future.network is future.begun and not future.fewer)


def before_steps(name: str, network: nn.Module) -> nn.Module:
    """Give a layer as it is before any step, with all its neurons."""
    return _future(network).begun.get_submodule(name)


def is_coded(name: str) -> bool:
    """Say whether a step before will give a layer a code."""
    future = _FUTURE.get()
    return future is not None and name in future.coded


def most_kept(name: str, network: nn.Module) -> int:
    """Say how many weights at most a layer will have kept."""
    weights: int = network.get_submodule(name).weight.numel()  # type: ignore[operator]
    return min(weights, _future(network).kept.get(name, weights))


def shares_weights(network: nn.Module) -> bool:
    """Say whether some layer's weights will share a codebook."""
    return bool(_future(network).shared)


def refuse_pruned(names: Iterable[str], network: nn.Module, step: str) -> None:
    """Refuse layers that are pruned or will be, as ``require_unpruned`` would then.

    Raises:
        ConfigError: One is.
    """
    kept = _future(network).kept
    for name in names:
        if name in kept:
            raise ConfigError(pruned_said(name, step))


def refuse_coded(names: Iterable[str], step: str) -> None:
    """Refuse layers that will be held by a code, for a step that needs dense weights.

    Raises:
        ConfigError: One will be.
    """
    for name in names:
        if is_coded(name):
            raise ConfigError(
                f"layer {name!r} will be held by a code, and {step} needs dense weights; put it "
                "before the steps that give a layer a code"
            )
