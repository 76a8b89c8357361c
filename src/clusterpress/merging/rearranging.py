"""Concatenations and reshapes: where they put the channels of a tensor."""

from collections.abc import Sequence
from math import prod
from typing import Any

from clusterpress.merging.flow import Flow, blocked, concatenated
from clusterpress.merging.operations import concatenates_neurons, shape_before, shape_behind


def concatenation(node: Any, inputs: Sequence[Flow]) -> Flow:
    """Give the flow behind a concatenation, which must be of neurons alone and along them.

    Args:
        node: Its node of the graph.
        inputs: Flows of its inputs in their order, none of them with an obstacle.
    """
    whole = len(inputs) == len(node.grad_fn.next_functions) and all(f.segments for f in inputs)
    if whole and concatenates_neurons(node):
        return concatenated(inputs)
    why = "is not along dimension 1" if whole else "has the input or a constant in it"
    return blocked(inputs, f"they pass through a concatenation that {why}")


def reshape(node: Any, flow: Flow) -> Flow:
    """Give the flow behind a reshape, which must put each image's values into one row.

    The row is of shape (N, C), or (N, C, 1, 1) and the like. Others move values between images, or
    spread the channels over several dimensions, in which later operations would mix them.

    Args:
        node: Its node of the graph.
        flow: The flow of its input, without an obstacle.
    """
    before, behind = shape_before(node), shape_behind(node)
    positions = prod(before[2:])
    if behind[:2] == (before[0], flow.channels * positions) and prod(behind[2:]) == 1:
        return flow.flattened(positions, len(behind))
    return blocked(
        [flow],
        f"they pass through a reshape of {before} to {behind}, and of reshapes merging takes those "
        "that put all values of an image into one row, as flatten(x, 1)",
    )
