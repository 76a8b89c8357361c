"""The error that every method is judged by, and the data."""

import numpy as np
import pytest
import torch

from clusterpress.bench import data
from clusterpress.bench.methods import Found, squared_error
from clusterpress.bench.vector_peers import torch_gemm


def test_the_error_is_that_of_the_labels_given_or_of_the_nearest_centre():
    values = np.array([0.0, 1.0, 4.0], np.float32)
    centers = np.array([4.0, 0.0])
    assert squared_error(values, Found(centers)) == 1.0
    assert squared_error(values, Found(centers, np.array([0, 1, 0]))) == 17.0


@pytest.mark.parametrize("shape", [(1000,), (1000, 9)])
def test_the_nearest_centre_is_that_of_all_distances(shape, monkeypatch):
    monkeypatch.setattr("clusterpress.bench.methods._CHUNK", 130)
    points = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    centers = np.random.default_rng(1).standard_normal((7, *shape[1:]))
    differences = (points.reshape(1000, 1, -1) - centers.reshape(1, 7, -1)) ** 2
    expected = differences.sum(axis=2).min(axis=1).sum()
    assert squared_error(points, Found(centers)) == pytest.approx(expected)


def test_the_torch_reference_is_lloyds():
    points = data.kernels(400)
    once = torch_gemm(points, points[:5], 1).centers
    labels = torch.cdist(torch.from_numpy(points), torch.from_numpy(points[:5])).argmin(1).numpy()
    means = [points[labels == c].mean(axis=0) for c in range(5)]
    np.testing.assert_allclose(once, means, rtol=1e-4, atol=1e-6)


def test_data_are_the_same_every_time_and_of_their_shapes():
    assert np.array_equal(data.heavy_tailed(3000), data.heavy_tailed(3000))
    assert data.heavy_tailed(3000).dtype == np.float32
    kernels = data.kernels(500)
    assert kernels.shape == (500, 9)
    assert kernels.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(kernels, axis=1), 1.0, rtol=1e-5)
    assert (kernels[:, 4] >= 0).all()
    assert data.neurons(20, 6).shape == (20, 6)


def test_kernels_of_norm_0_are_left_out():
    assert data.normalised(np.array([[0.0, 0.0, 0.0], [0.0, -2.0, 0.0]])).tolist() == [[0, 1, 0]]


def test_missing_trained_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.delenv(data.VARIABLE, raising=False)
    with pytest.raises(data.MissingDataError, match="CLUSTERPRESS_WEIGHTS is not set"):
        data.lenet5_linear()
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    with pytest.raises(data.MissingDataError, match=r"no .*resnet56_cifar10\.safetensors"):
        data.resnet56_kernels()
