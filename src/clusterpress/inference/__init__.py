"""Inference with shared kernels: fewer multiplications than the dense convolution, and faster."""

from clusterpress.inference.orders import Order
from clusterpress.inference.shared_conv import SharedKernelConv2d

__all__ = ["Order", "SharedKernelConv2d"]
