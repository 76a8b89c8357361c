"""Follow the neurons through the nodes of torch-pruning's graph, from input to output."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch_pruning import ops

from clusterpress.merging.couplings import Consumer, Couplings, Norm
from clusterpress.merging.flow import Flow, blocked
from clusterpress.merging.operations import (
    acts_on_each_neuron,
    channel_padding,
    joins,
    keeps_linear,
    loses_positions,
)
from clusterpress.merging.rearranging import concatenation, reshape


class Wiring:
    """Tells what each node does to the neurons that reach it.

    torch-pruning's graph gives the layers, the operations and their wiring. Which channel is which
    neuron is followed here: its own index maps take every operation that it does not know for one
    that leaves the channels in their places.

    Args:
        names: The network's modules by name.
        odd: The layers that give other tensors than (N, C) or (N, C, H, W), and one's shape.
    """

    def __init__(
        self, names: Mapping[nn.Module, str], odd: Mapping[nn.Module, tuple[int, ...]]
    ) -> None:
        self.names, self.odd = names, odd
        self.found = Couplings()

    def follow(self, node: Any, inputs: Sequence[Flow]) -> Flow:
        """Give the flow behind a node, remembering what it couples.

        Args:
            node: A node of the graph, after all that feed it.
            inputs: Flows of its inputs in their order.
        """
        carrying = [flow for flow in inputs if flow.segments]
        if isinstance(node.module, nn.Linear | nn.Conv2d):
            return self._layer(node.module, carrying)
        if node.type == ops.OPTYPE.OUTPUT:
            self.found.kept.update(layer for flow in carrying for layer in flow.layers)
        if not carrying:
            return Flow()
        if joins(node):
            return self._skip(node, inputs)
        if any(flow.obstacle for flow in inputs):
            return blocked(inputs, "")
        if isinstance(node.module, _BatchNorm):
            return self._norm(node, carrying)
        return self._operation(node, inputs)

    def _layer(self, module: nn.Linear | nn.Conv2d, carrying: Sequence[Flow]) -> Flow:
        name = self.names[module]
        flow = self._one(carrying, f"the uses of {name!r} read different channels")
        why = _unreadable(module, flow)
        if why is not None:
            flow = blocked([flow], f"layer {name!r} {why}")
        if getattr(module, "groups", 1) > 1:
            self.found.block([name], f"layer {name!r} {why}")
        if flow.obstacle:
            self.found.block(flow.layers, flow.obstacle)
        else:
            self.found.consumers += [
                (str(each.layer), Consumer(name, each.columns, start))
                for start, each in flow.starts()
            ]
        self.found.spend(flow)
        return self._given(module, name)

    def _given(self, module: nn.Linear | nn.Conv2d, name: str) -> Flow:
        given = self.found.give(name, int(module.weight.shape[0]))
        if module in self.odd:
            # A flatten of tokens (N, T, C) gives a neuron every C-th column, not T neighbours.
            why = f"{name!r} gives a tensor of shape {self.odd[module]}, and merging takes layers "
            return blocked([given], why + "that give (N, C) or (N, C, H, W) at every use")
        return given.flattened(1) if isinstance(module, nn.Linear) else given

    def _norm(self, node: Any, carrying: Sequence[Flow]) -> Flow:
        module, name = node.module, self.names[node.module]
        flow = self._one(carrying, f"the uses of {name!r} read different channels")
        if module.running_mean is None:
            return blocked([flow], f"they pass through {node.name} without running statistics")
        if flow.obstacle or module.num_features != flow.channels:
            return blocked([flow], f"{node.name} reads channels that are not theirs")
        self.found.norms += [
            (str(each.layer), Norm(name, each.columns, start, each.layer if each.linear else None))
            for start, each in flow.starts()
        ]
        return flow.nonlinear()

    def _one(self, flows: Sequence[Flow], why: str) -> Flow:
        """Give the flow into a module; one that is used several times joins what it reads."""
        if len(flows) < 2:
            return flows[0] if flows else Flow()
        first, *others = [self.found.spend(flow) for flow in flows]
        if any(flow.obstacle or not flow.aligned(first) for flow in flows):
            return blocked(flows, why)
        for other in others:
            self.found.join(first, other)
        return first

    def _skip(self, node: Any, inputs: Sequence[Flow]) -> Flow:
        if len(inputs) != len(node.grad_fn.next_functions) or not all(f.segments for f in inputs):
            return blocked(inputs, f"they pass through {node.name} with the input or a constant")
        first, *others = [self.found.spend(flow) for flow in inputs]
        if any(flow.obstacle or not flow.aligned(first) for flow in inputs):
            layers = [layer for flow in inputs for layer in flow.layers]
            self.found.skips.update(layers)
            return blocked(inputs, _misaligned(inputs))
        for other in others:
            self.found.join(first, other)
        return first

    def _operation(self, node: Any, inputs: Sequence[Flow]) -> Flow:
        flow = inputs[0]
        if node.type == ops.OPTYPE.CONCAT:
            return concatenation(node, inputs)
        if node.type == ops.OPTYPE.RESHAPE:
            return reshape(node, flow)
        padding = channel_padding(node) if flow.rank == 4 else None
        if padding is not None:
            return self.found.spend(flow).padded(*padding)
        if node.type == ops.OPTYPE.OUTPUT or keeps_linear(node):
            return flow if not loses_positions(node) else flow.flattened(1)
        if acts_on_each_neuron(node):
            return self.found.spend(flow)
        return blocked(inputs, f"they pass through {node.name}")


def _unreadable(module: nn.Linear | nn.Conv2d, flow: Flow) -> str | None:
    """Say why a layer's inputs are not the channels of a flow, if so."""
    groups, inputs = getattr(module, "groups", 1), int(module.weight.shape[1])
    if groups > 1:
        return (
            f"is a convolution of {groups} groups, and neurons cannot be merged across groups "
            "(depthwise ones are such too)"
        )
    if flow.segments and not flow.obstacle and flow.channels != inputs:
        return f"reads {inputs} inputs that are not theirs"
    return None


def _misaligned(inputs: Sequence[Flow]) -> str:
    ranks = [flow.rank for flow in inputs]
    if len(set(ranks)) > 1:
        return f"a skip joins tensors of {' and of '.join(map(str, ranks))} dimensions"
    if any(segment.layer is None for flow in inputs for segment in flow.segments):
        return (
            "a skip joins them with channels of which a padding gives some (shortcut A), and how "
            "many it pads does not follow from the layers' widths"
        )
    return "a skip joins them with channels that are not one layer's, one after another"
