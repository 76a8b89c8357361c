"""Torch tensors go in, and tensors of the same device come out."""

import numpy as np
import pytest
import torch

from clusterpress.clustering import (
    assign,
    cluster,
    entropy_constrained,
    lloyd,
    optimal,
    optimal_centers,
    optimal_curve,
    seed,
)

VALUES = np.random.default_rng(0).standard_normal(500).astype(np.float32)
CALLS = {
    "optimal": lambda values: optimal(values, 8),
    "optimal_centers": lambda values: optimal_centers(values, 8),
    "entropy_constrained": lambda values: entropy_constrained(values, 0.01),
    "cluster": lambda values: cluster(values, 8, init="random", rng=np.random.default_rng(0)),
    "lloyd": lambda values: lloyd(values, np.linspace(-1, 1, 8)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_tensor_gives_what_the_array_gives(call):
    expected, found = call(VALUES), call(torch.from_numpy(VALUES).requires_grad_())
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if isinstance(value, np.ndarray):
            assert isinstance(other, torch.Tensor)
            assert not other.requires_grad
            assert np.array_equal(other.numpy(), value)
            assert other.numpy().dtype == value.dtype
        else:
            assert other == value


def test_functions_that_give_arrays():
    values = torch.from_numpy(VALUES)
    centers = torch.tensor([-1.0, 0.0, 2.0])
    assert np.array_equal(assign(values, centers).numpy(), assign(VALUES, centers.numpy()))
    seeds = [
        seed(each, 5, init="linear", rng=np.random.default_rng(0)) for each in (values, VALUES)
    ]
    assert np.array_equal(seeds[0].numpy(), seeds[1])
    assert np.array_equal(optimal_curve(values, 9).numpy(), optimal_curve(VALUES, 9))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int32])
def test_every_dtype_of_tensors(dtype):
    values = torch.from_numpy(10 * VALUES).to(dtype)
    found, wide = optimal(values, 8), optimal(values.double(), 8)
    assert torch.equal(found.labels, wide.labels)
    assert torch.equal(found.centers, wide.centers)


def test_values_may_be_given_by_name():
    found = optimal(k=8, values=torch.from_numpy(VALUES))
    assert isinstance(found.centers, torch.Tensor)
    assert np.array_equal(found.centers.numpy(), optimal(values=VALUES, k=8).centers)


def test_weights_may_be_a_tensor():
    weights = np.arange(1, 501)
    found = optimal(torch.from_numpy(VALUES), 8, torch.from_numpy(weights))
    assert np.array_equal(found.centers.numpy(), optimal(VALUES, 8, weights).centers)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_results_are_on_the_callers_device():
    found = optimal(torch.from_numpy(VALUES).cuda(), 8)
    assert found.centers.is_cuda
    assert found.labels.is_cuda
