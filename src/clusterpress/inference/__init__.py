"""Inference with shared kernels: fewer multiplications than the dense convolution, and faster."""

from clusterpress.inference.accelerate import accelerate, from_layer
from clusterpress.inference.orders import Order
from clusterpress.inference.shared_conv import SharedKernelConv2d, SharedKernels
from clusterpress.inference.shared_form import shared_form

__all__ = [
    "Order",
    "SharedKernelConv2d",
    "SharedKernels",
    "accelerate",
    "from_layer",
    "shared_form",
]
