"""A shared-kernel convolution gives what the dense one gives, and says what it cannot do."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from clusterpress.errors import ConfigError, DataError
from clusterpress.inference import Order, SharedKernelConv2d, SharedKernels, shared_conv, tiles

CASES = [  # O, I, H, W, N, P, taps, stride, padding
    (6, 5, 8, 8, 1, 4, (3, 3), 1, (1, 1)),
    (6, 5, 7, 9, 3, 4, (3, 3), 1, (1, 1)),
    (4, 3, 33, 20, 1, 2, (3, 3), 1, (1, 1)),
    (4, 7, 2, 2, 2, 40, (3, 3), 1, (1, 1)),
    (5, 3, 7, 8, 2, 3, (3, 3), 2, (1, 1)),
    (5, 3, 9, 9, 1, 3, (5, 5), 2, (2, 2)),
    (5, 3, 6, 6, 2, 3, (2, 2), 3, (0, 0)),
    (5, 3, 6, 7, 2, 3, (3, 5), 1, (0, 2)),
    (5, 3, 6, 6, 2, 3, (2, 2), 1, (3, 3)),
    (1, 1, 3, 3, 1, 1, (3, 3), 1, (0, 0)),
]


def conv(*arrays, **named):
    return SharedKernelConv2d(SharedKernels(*arrays), **named)


def form(rng, case):
    o, i, _, _, _, p, taps, _, _ = case
    kernels = rng.standard_normal((p, *taps)).astype(np.float32)
    return kernels, rng.integers(0, p, (o, i)), rng.standard_normal((o, i)).astype(np.float32)


def dense(x, arrays, stride, padding):
    kernels, labels, scales, bias = arrays
    weight = kernels[labels] * (1 if scales is None else scales[:, :, None, None])
    weight = torch.from_numpy(np.ascontiguousarray(weight, np.float32))
    bias = None if bias is None else torch.from_numpy(bias)
    return functional.conv2d(x, weight, bias, stride, padding)


def assert_equal(ours, reference):
    assert ours.shape == reference.shape
    scale = max(float(reference.abs().max()), 1e-30)
    assert float((ours - reference).abs().max()) <= 1e-5 * scale


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("case", CASES)
def test_every_order_equals_the_dense_convolution(case, order):
    rng = np.random.default_rng(0)
    kernels, labels, scales = form(rng, case)
    scales[rng.random(scales.shape) < 0.2] = 0
    bias = rng.standard_normal(case[0]).astype(np.float32)
    x = torch.from_numpy(rng.standard_normal((case[4], *(case[1], *case[2:4]))).astype(np.float32))
    named = {"stride": case[7], "padding": case[8]}
    layer = conv(kernels, labels, scales, bias, order=order, **named).eval()
    reference = dense(x, (kernels, labels, scales, bias), *named.values())
    assert_equal(layer(x), reference)
    assert_equal(layer(x.to(memory_format=torch.channels_last)), reference)
    rectified = conv(kernels, labels, scales, bias, order=order, rectified=True, **named).eval()
    assert_equal(rectified(x), reference.relu())


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("case", [*CASES, (3, 2, 16, 16, 1, 2, (3, 3), 1, (1, 1))])
def test_vectors_of_another_width_change_nothing(monkeypatch, case, lanes):
    monkeypatch.setattr(tiles, "LANES", lanes)
    test_every_order_equals_the_dense_convolution(case, Order.CONVOLVE_FIRST)


@pytest.mark.parametrize("order", Order)
def test_neither_scales_nor_bias_nor_kernels_are_needed(order):
    rng = np.random.default_rng(1)
    kernels, labels, _ = form(rng, CASES[0])
    x = torch.randn(2, 5, 8, 8, generator=torch.Generator().manual_seed(0))
    layer = conv(kernels, labels, padding=(1, 1), order=order).eval()
    assert_equal(layer(x), dense(x, (kernels, labels, None, None), 1, 1))
    empty = conv(kernels, labels, np.zeros((6, 5)), np.arange(6.0), order=order)
    assert torch.equal(empty.eval()(x)[0, :, 0, 0], torch.arange(6.0))


@pytest.mark.parametrize("order", [Order.ADD_FIRST, Order.CONVOLVE_FIRST])
def test_threads_change_nothing(order):
    kernels, labels, scales = form(np.random.default_rng(2), CASES[1])
    x = torch.randn(3, 5, 7, 9, generator=torch.Generator().manual_seed(0))
    layer = conv(kernels, labels, scales, padding=(1, 1), order=order).eval()
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = layer(x)
        torch.set_num_threads(2)
        assert torch.equal(layer(x), alone)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("order", list(Order))
def test_modes_without_gradients_may_alternate(order):
    kernels, labels, scales = form(np.random.default_rng(2), CASES[1])
    layer = conv(kernels, labels, scales, padding=(1, 1), order=order).eval()
    x = torch.randn(3, 5, 7, 9, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        first = layer(x.clone()).numpy()
    with torch.no_grad():
        assert np.array_equal(layer(x).numpy(), first)
    with torch.inference_mode():
        assert np.array_equal(layer(x.clone()).numpy(), first)


def test_an_earlier_output_stays_and_shapes_may_change():
    kernels, labels, scales = form(np.random.default_rng(3), CASES[0])
    layer = conv(kernels, labels, scales, order=Order.ADD_FIRST).eval()
    x = torch.ones(1, 5, 8, 8)
    first = layer(x)
    kept = first.clone()
    layer(2 * x)
    layer(torch.ones(2, 5, 6, 4))
    assert torch.equal(first, kept)
    assert torch.equal(layer(x), kept)


def test_the_measured_choice_is_one_of_the_orders_and_right():
    kernels, labels, scales = form(np.random.default_rng(4), CASES[0])
    layer = conv(kernels, labels, scales, padding=(1, 1)).eval()
    x = torch.randn(1, 5, 8, 8)
    assert layer.chosen(x) in Order
    assert_equal(layer(x), dense(x, (kernels, labels, scales, None), 1, 1))


def test_multiplications_count_the_kernels_of_each_output_or_input():
    labels = np.array([[0, 0, 1], [0, 1, 2]])
    scales = np.array([[1.0, 1, 1], [1, 1, 0]])
    layer = conv(np.ones((3, 3, 3)), labels, scales)
    assert layer.multiplications(Order.ADD_FIRST) == 9 * (2 + 2)
    assert layer.multiplications(Order.CONVOLVE_FIRST) == 9 * (1 + 2 + 1)
    assert layer.multiplications(Order.DENSE) == 9 * 6


def test_training_gradients_and_other_inputs_are_refused():
    layer = conv(np.ones((1, 3, 3)), np.zeros((2, 2)))
    x = torch.ones(1, 2, 4, 4)
    with pytest.raises(ConfigError, match=r"only infers: call eval\(\)"):
        layer(x)
    layer.eval()
    with pytest.raises(ConfigError, match="gives no gradients"):
        layer(x.clone().requires_grad_())
    for wrong in (x.double(), x[0], torch.ones(1, 3, 4, 4), torch.ones(0, 2, 4, 4)):
        with pytest.raises(DataError, match="must be"):
            layer(wrong)
    with pytest.raises(DataError, match="smaller than"):
        layer(torch.ones(1, 2, 2, 2))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.ones((3, 3)), np.zeros((2, 2))), "shapes"),
        ((np.ones((1, 3, 3)), np.ones((2, 2))), "labels from 1 to 1"),
        ((np.ones((1, 3, 3)), np.zeros((2, 2)), np.ones(2)), "scales"),
        ((np.ones((1, 3, 3)), np.zeros((2, 2)), None, np.ones(3)), "bias"),
        ((np.full((1, 3, 3), np.nan), np.zeros((2, 2))), "finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments, said):
    with pytest.raises(DataError, match=said):
        SharedKernels(*arguments)


def test_inputs_beyond_the_places_that_the_tables_hold_get_the_dense_form(monkeypatch):
    monkeypatch.setattr(shared_conv, "_MOST", 100)
    rng = np.random.default_rng(0)
    arrays = (*form(rng, CASES[0]), None)
    x = torch.randn(2, 5, 8, 8, generator=torch.Generator().manual_seed(0))
    layer = conv(*arrays, padding=(1, 1)).eval()
    assert layer.chosen(x) is Order.DENSE
    assert_equal(layer(x), dense(x, arrays, 1, (1, 1)))
    with pytest.raises(DataError, match=r"\(2, 5, 8, 8\)"):
        conv(*arrays, order=Order.ADD_FIRST).eval()(x)
