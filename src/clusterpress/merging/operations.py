"""What the operations between two layers do to neurons, by autograd's names of them."""

from typing import Any

from torch_pruning import ops

# The operations that treat every neuron alone. Everything else is refused: torch-pruning takes
# what it does not know for elementwise, also a softmax or an addition.
_AVERAGES = {"AdaptiveAvgPool2D", "AvgPool2D"}
_POOLING = {"AdaptiveMaxPool2D", "MaxPool2D", "MaxPool2DWithIndices"}
_ACTIVATIONS = {
    "Celu",
    "Elu",
    "Gelu",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyRelu",
    "LogSigmoid",
    "Mish",
    "Relu",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softplus",
    "Tanh",
    "Threshold",
}
_COPIES = {"Alias", "Clone"}
_JOINS = {"Add", "Mul", "Sub"}


def operation(node: Any) -> str:
    """Give autograd's name of a node's operation, as ``Relu``; empty where it has none."""
    if node.type == ops.OPTYPE.PARAMETER or not hasattr(node.grad_fn, "name"):
        return ""
    name: str = node.grad_fn.name()
    return name.rstrip("0123456789").removesuffix("Backward")


def acts_on_each_neuron(node: Any) -> bool:
    """Whether an operation treats every neuron alone, and all of them alike."""
    return operation(node) in _ACTIVATIONS or _pools(node, _POOLING) or keeps_linear(node)


def keeps_linear(node: Any) -> bool:
    """Whether an operation of each neuron alone only copies, averages or picks positions."""
    averages = _pools(node, _AVERAGES) or _averages_positions(node)
    return operation(node) in _COPIES or averages or _picks(node)


def loses_positions(node: Any) -> bool:
    """Whether a mean over H and W leaves the shape (N, C)."""
    return _averages_positions(node) and not node.grad_fn._saved_keepdim


def joins(node: Any) -> bool:
    """Whether an operation combines the tensors of two layers neuron by neuron."""
    return operation(node) in _JOINS


def concatenates_neurons(node: Any) -> bool:
    """Whether a concatenation goes along dimension 1, by whichever of its names."""
    return _dim(node.grad_fn._saved_dim, len(shape_behind(node))) == 1


def shape_before(node: Any) -> tuple[int, ...]:
    """Give the shape of an operation's first tensor, which autograd must have recorded."""
    before, output = node.grad_fn.next_functions[0]
    return tuple(before._input_metadata[output].shape)


def shape_behind(node: Any) -> tuple[int, ...]:
    """Give the shape that an operation gives."""
    # What backward takes is the gradient of what forward gave.
    return tuple(node.grad_fn._input_metadata[0].shape)


def channel_padding(node: Any) -> tuple[int, int] | None:
    """Give how many channels a padding of (N, C, H, W) puts before and after; None if no pad."""
    if operation(node) != "ConstantPadNd":
        return None
    left, right, *batch = (*node.grad_fn._saved_pad, 0, 0, 0, 0)[4:]
    return None if min(left, right) < 0 or any(batch) else (left, right)


def _pools(node: Any, names: set[str]) -> bool:
    """Whether an operation is such a pooling, and of (N, C, H, W)."""
    # Of three dimensions, as (N, C, 1), a 2-D pooling takes the first for the channels.
    return operation(node) in names and len(shape_behind(node)) == 4


def _averages_positions(node: Any) -> bool:
    """Whether a mean goes over H and W alone: what global average pooling is traced as."""
    if operation(node) != "Mean":
        return False
    rank = len(node.grad_fn._saved_self_sym_sizes)
    return rank == 4 and {_dim(dim, rank) for dim in node.grad_fn._saved_dim} == {2, 3}


def _picks(node: Any) -> bool:
    """Whether a slice picks among the positions of (N, C, H, W) alone, or picks everything."""
    if operation(node) != "Slice":
        return False
    saved = node.grad_fn
    sizes = saved._saved_self_sym_sizes
    dim = _dim(saved._saved_dim, len(sizes))
    whole = (saved._saved_start, saved._saved_step) == (0, 1) and saved._saved_end >= sizes[dim]
    return bool(whole or (len(sizes) == 4 and dim >= 2))


def _dim(dim: int, rank: int) -> int:
    # Autograd gives negative dimensions as unsigned 64-bit numbers.
    return (dim - 2**64 if dim >= 2**63 else dim) % rank
