"""A network as wide as a method will leave it, before the method has run."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from clusterpress.runs.components import target_of
from clusterpress.steps import MergeNeurons, PruneNeurons
from clusterpress.steps.widths import narrower

KNOBS = ("keep", "remove", "skips", "layers")
"""What says the widths, in both steps that make layers narrower."""


def narrows(node: Mapping[str, Any]) -> bool:
    """Tell whether a step makes layers narrower, to widths that its settings alone say.

    Raises:
        ConfigError: Its ``_target_`` cannot be imported.
    """
    given = node.get("keep") is not None or node.get("remove") is not None
    return given and target_of(node) in (MergeNeurons, PruneNeurons)


def knobs(node: Mapping[str, Any]) -> dict[str, Any]:
    """Give those of a step's settings that say the widths."""
    return {name: node[name] for name in KNOBS if name in node}


def narrow(
    network: nn.Module, narrowing: Sequence[Mapping[str, Any]], shape: Sequence[int]
) -> nn.Module:
    """Give a network as narrow as the steps would make it; which neurons stay says nothing.

    Args:
        network: The network, of any weights; it is not changed.
        narrowing: Nodes for which ``narrows`` holds, in order.
        shape: Of an input image, (C, H, W).

    Raises:
        ConfigError: The network has no such layers, or the widths cannot be met.
    """
    for node in narrowing:
        step = PruneNeurons(**knobs(node))
        network = narrower(step, network, torch.zeros(1, *shape), step.keep)
    return network
