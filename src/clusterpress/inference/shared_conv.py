"""A convolution for inference whose kernels are shared, in the faster of three forms."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from clusterpress.errors import DataError
from clusterpress.inference.checks import check_form, check_input
from clusterpress.inference.convolve_first import ConvolveFirst
from clusterpress.inference.layout import Layout
from clusterpress.inference.orders import AddFirst, Order, multiplications

Pass = Callable[[torch.Tensor], torch.Tensor]
_ROUNDS = 5
_KEPT = 8  # Input shapes whose buffers are kept.
_MOST = 1 << 31  # Padded numbers of an input: the other forms' tables hold places of 32 bits.


class SharedKernels:
    """``weight[o, i] = scales[o, i] * kernels[labels[o, i]]`` and a bias, as arrays of their own.

    Args:
        kernels: Shape (P, h, w).
        labels: Integers below P, shape (O, I).
        scales: Shape (O, I), a kernel of scale zero costs nothing; None: all are one.
        bias: Shape (O,); None: zero.

    Raises:
        DataError: The arrays do not fit each other or are not finite.
    """

    def __init__(
        self,
        kernels: npt.ArrayLike,
        labels: npt.ArrayLike,
        scales: npt.ArrayLike | None = None,
        bias: npt.ArrayLike | None = None,
    ) -> None:
        self.kernels = np.array(kernels, np.float32)
        self.labels = np.array(labels, np.int64)
        given = [None if each is None else np.array(each, np.float32) for each in (scales, bias)]
        check_form(self.kernels, self.labels, *given)
        self.scales = np.ones(self.labels.shape, np.float32) if given[0] is None else given[0]
        self.bias = np.zeros(len(self.labels), np.float32) if given[1] is None else given[1]


class SharedKernelConv2d(nn.Module):
    """``weight[o, i] = scales[o, i] * kernels[labels[o, i]]``, computed with fewer multiplications.

    Son et al. (2018), section 3.4. For inference on the CPU in float32. The output equals the dense
    layer's to rounding. At the first input of a shape each form is timed and the fastest is kept;
    inputs of 2^31 numbers or more get the dense one.
    A copy of the arrays is held; the layer has no parameters and cannot train.

    Args:
        shared: The kernels, and what is made of them.
        stride: Of both directions.
        padding: Zeros above and below, and left and right.
        rectified: Whether a ReLU follows.
        order: The form; None measures.
    """

    weight: torch.Tensor
    offset: torch.Tensor

    def __init__(
        self,
        shared: SharedKernels,
        *,
        stride: int = 1,
        padding: tuple[int, int] = (0, 0),
        rectified: bool = False,
        order: Order | None = None,
    ) -> None:
        super().__init__()
        self.kernels, self.labels = shared.kernels, shared.labels
        self.scales, self.bias = shared.scales, shared.bias
        self.stride, self.padding, self.rectified, self.order = stride, padding, rectified, order
        weight = self.kernels[self.labels] * self.scales[:, :, None, None]
        dense = torch.from_numpy(weight).to(memory_format=torch.channels_last)  # Faster, measured.
        self.register_buffer("weight", dense, persistent=False)
        self.register_buffer("offset", torch.from_numpy(self.bias), persistent=False)
        self._passes: dict[tuple[int, ...], tuple[Order, Pass]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what a copy builds anew: compiled passes with memory of their own, the lock."""
        return {**self.__dict__, "_passes": {}, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a copy's state."""
        super().__setstate__(state)  # type: ignore[no-untyped-call, unused-ignore]
        self._lock = threading.Lock()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve images of shape (N, I, H, W), float32.

        Raises:
            ConfigError: In training mode, or where the input wants a gradient.
            DataError: Another dtype, device or shape.
        """
        check_input(x, self.labels.shape[1], self.training)
        with self._lock:  # Nothing here has gradients to record: ``check_input`` saw to that.
            return self._pass(x)[1](x)

    def chosen(self, x: torch.Tensor) -> Order:
        """Give the form that inputs of this shape get."""
        with self._lock, torch.no_grad():
            return self._pass(x)[0]

    def multiplications(self, order: Order) -> int:
        """Count the multiplications of the convolutions alone for every output position."""
        taps = self.kernels[0].size
        return multiplications(self.labels, self.scales, order, taps)

    def _pass(self, x: torch.Tensor) -> tuple[Order, Pass]:
        key = (*x.shape, torch.get_num_threads())
        if key not in self._passes:
            if len(self._passes) >= _KEPT:
                self._passes.pop(next(iter(self._passes)))
            with torch.inference_mode(False), torch.no_grad():  # Other calls write there too.
                self._passes[key] = self._fastest(x)
        return self._passes[key]

    def _fastest(self, x: torch.Tensor) -> tuple[Order, Pass]:
        passes = {order: self._build(order, x) for order in self._orders(x)}
        if len(passes) == 1:
            return next(iter(passes.items()))
        for each in passes.values():
            each(x)  # Compiles.
        seconds = dict.fromkeys(passes, float("inf"))
        for _ in range(_ROUNDS):
            for order, each in passes.items():
                seconds[order] = min(seconds[order], _seconds(each, x))
        best = min(passes, key=seconds.__getitem__)
        return best, passes[best]

    def _orders(self, x: torch.Tensor) -> list[Order]:
        large = x.shape[1] * self._layout(x).row >= _MOST
        if self.order is None:
            return [Order.DENSE] if large else list(Order)
        if large and self.order is not Order.DENSE:
            raise DataError(f"images of {tuple(x.shape)} are too many numbers for {self.order}")
        return [self.order]

    def _layout(self, x: torch.Tensor) -> Layout:
        taps = self.kernels.shape[1], self.kernels.shape[2]
        layout = Layout(x.shape[0], x.shape[2], x.shape[3], taps, self.stride, self.padding)
        if min(layout.out) < 1:
            raise DataError(f"images of {tuple(x.shape[2:])} are smaller than {taps} kernels")
        return layout

    def _build(self, order: Order, x: torch.Tensor) -> Pass:
        if order is Order.DENSE:
            return self._dense
        layout = self._layout(x)
        form = (self.kernels, self.labels, self.scales, self.bias, self.rectified, layout)
        return AddFirst(*form) if order is Order.ADD_FIRST else ConvolveFirst(*form)

    def _dense(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.conv2d(x, self.weight, self.offset, self.stride, self.padding)
        return y.relu_() if self.rectified else y


def _seconds(work: Pass, x: torch.Tensor) -> float:
    begin = time.perf_counter()
    work(x)
    return time.perf_counter() - begin
