"""A network whose convolutions share kernels, rebuilt to infer faster."""

import copy
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn.utils import parametrize

from clusterpress.codes import own_methods
from clusterpress.errors import ConfigError
from clusterpress.inference.checks import check_layer
from clusterpress.inference.shared_conv import SharedKernelConv2d, SharedKernels
from clusterpress.inference.shared_form import kernel_groups, shared_form


def accelerate(network: nn.Module) -> fx.GraphModule:
    """Copy a network for inference: shared convolutions, with BatchNorm and ReLU inside them.

    A convolution gets the form of ``SharedKernelConv2d`` that is fastest, which may be the dense
    one. Convolutions without shared kernels, of a kind that ``check_layer`` refuses, or with a
    ``forward`` or ``_conv_forward`` of their own stay as they are. The network is not changed.

    Args:
        network: In evaluation mode, float32, on the CPU; its weights are coded or dense.

    Raises:
        ConfigError: The network is in training mode, or ``torch.fx`` cannot trace it.
    """
    if network.training:
        raise ConfigError("accelerate needs a network that infers: call eval() on it first")
    groups = {
        name: kernel_groups(layer)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d) and _supported(layer)
    }
    try:
        traced = fx.symbolic_trace(_dense(network))
        names = _one_module_a_call(traced)
        folded = cast(fx.GraphModule, fuse(traced, no_trace=True))
    except Exception as error:  # Whatever the network's own code raises when it is traced.
        raise ConfigError(f"torch.fx cannot trace {type(network).__name__}: {error}") from error
    graph = folded.graph
    for node in list(graph.nodes):
        first = names.get(str(node.target), str(node.target))
        if node.op == "call_module" and first in groups:
            _replace(folded, node, groups[first])
    graph.lint()
    folded.recompile()
    return folded


def _one_module_a_call(traced: fx.GraphModule) -> dict[str, str]:
    """Give each further call of a module a copy of its own: what is folded in belongs to one call.

    Returns:
        The names of the copies, and whose copies they are.
    """
    seen: set[str] = set()
    copies: dict[str, str] = {}
    for node in traced.graph.nodes:
        name = str(node.target)
        if node.op == "call_module" and name in seen:
            own = f"{name}_call{len(copies) + 1}"
            copies[own] = name
            traced.add_submodule(own, copy.deepcopy(traced.get_submodule(name)))
            node.target = own
        seen.add(name)
    traced.recompile()
    return copies


def _dense(network: nn.Module) -> nn.Module:
    copied = copy.deepcopy(network)
    for module in list(copied.modules()):
        if parametrize.is_parametrized(module):
            _make_plain(module)
        if isinstance(module, nn.Conv2d) and not own_methods(module, nn.Conv2d):
            module.__class__ = nn.Conv2d  # Tracing looks into subclasses; these only start apart.
    return copied.requires_grad_(False)


def _make_plain(module: nn.Module) -> None:
    """Put dense tensors in place of coded ones, of this copy alone.

    Not torch's ``remove_parametrizations``: that changes the class, which copies share.
    """
    names = list(cast(nn.ModuleDict, module.parametrizations))
    dense = {name: cast(torch.Tensor, getattr(module, name)).detach().clone() for name in names}
    module.__class__ = type(module).__bases__[0]
    del module.parametrizations
    for name, values in dense.items():
        module.register_parameter(name, nn.Parameter(values))


def _supported(layer: nn.Conv2d) -> bool:
    if own_methods(layer, nn.Conv2d):
        return False
    try:
        check_layer(layer)
    except ConfigError:
        return False
    return True


def _replace(network: fx.GraphModule, node: fx.Node, groups: npt.NDArray[np.int64]) -> None:
    layer = network.get_submodule(str(node.target))
    if not isinstance(layer, nn.Conv2d):
        return
    rectifier = _rectifier(network, node)
    replaced = from_layer(layer, groups, rectified=rectifier is not None)
    if replaced is None:
        return
    network.set_submodule(str(node.target), replaced.eval())
    if rectifier is not None:
        rectifier.replace_all_uses_with(node)
        network.graph.erase_node(rectifier)


def from_layer(
    layer: nn.Conv2d, groups: npt.NDArray[np.int64] | None = None, *, rectified: bool = False
) -> SharedKernelConv2d | None:
    """Give a convolution's form with shared kernels; None where it shares none.

    Args:
        layer: The convolution.
        groups: As of ``shared_form``.
        rectified: Whether a ReLU follows.

    Raises:
        ConfigError: It is grouped, dilated or padded by something else than zeros.
    """
    check_layer(layer)
    form = shared_form(layer, groups)
    if form is None:
        return None
    bias = None if layer.bias is None else layer.bias.detach().numpy()
    rows, columns = (int(n) for n in layer.padding)
    stride = layer.stride[0]
    return SharedKernelConv2d(
        SharedKernels(*form, bias), stride=stride, padding=(rows, columns), rectified=rectified
    ).eval()


def _rectifier(network: fx.GraphModule, node: fx.Node) -> fx.Node | None:
    """Give the ReLU that alone reads a node, or None."""
    users = list(node.users)
    if len(users) != 1:
        return None
    user = users[0]
    functions = (torch.relu, torch.relu_, nn.functional.relu)
    if user.op == "call_function" and user.target in functions:
        return user
    if user.op == "call_method" and user.target in ("relu", "relu_"):
        return user
    known = user.op == "call_module" and isinstance(
        network.get_submodule(str(user.target)), nn.ReLU
    )
    return user if known else None
