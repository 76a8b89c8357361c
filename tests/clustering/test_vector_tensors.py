"""k-means on tensors where they are, on the CPU's tensors: the contract is the arrays' own."""

import numpy as np
import pytest
import torch

from clusterpress.clustering.vector import fit as fitting
from clusterpress.clustering.vector import tensor_field, tensors
from clusterpress.clustering.vector.fit import fit
from clusterpress.clustering.vector.input import real_tensor
from clusterpress.clustering.vector.options import Settings
from clusterpress.clustering.vector.orbits import identity, square

DTYPES = (np.float32, np.float64)


def rng(root=0):
    return np.random.default_rng(root)


def both(points, k, orbit, **options):
    """Fit the same points as an array and as a tensor."""
    chosen = Settings(**options)
    return (
        fit(points, k, orbit, rng(1), chosen),
        fit(torch.from_numpy(points), k, orbit, rng(1), chosen),
    )


def assert_same(one, other):
    assert np.array_equal(one.labels, other.labels)
    assert np.array_equal(one.transforms, other.transforms)
    np.testing.assert_allclose(one.centers, other.centers, rtol=1e-9, atol=1e-12)
    assert one.error == pytest.approx(other.error, rel=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("init", ["kmeans++", "random"])
@pytest.mark.parametrize("transforms", [1, 2, 4, 8])
def test_tensors_cluster_like_arrays(dtype, init, transforms):
    points = rng().standard_normal((5003, 9)).astype(dtype)
    weights = rng(2).integers(1, 4, 5003)
    orbit = square(3, transforms)
    assert_same(*both(points, 12, orbit, init=init, weights=weights, restarts=2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_empty_clusters_are_repaired(dtype):
    points = np.concatenate((np.zeros((500, 2)), 5.0 + rng().standard_normal((20, 2))))
    array, tensor = both(points.astype(dtype), 12, identity(2), init="random")
    assert_same(array, tensor)
    assert np.bincount(tensor.labels, minlength=12).min() > 0


def test_ties_go_to_the_lowest_label():
    points = np.array([[-1.0], [1.0], [0.0], [0.0], [-1.0], [1.0]])
    starts = np.array([[1.0], [-1.0], [1.0]])
    array, tensor = both(points, 2, identity(1), init=starts[:2], max_iterations=1)
    assert_same(array, tensor)
    assert tensor.labels[2] == 0


def test_few_distinct_vectors_are_the_centres():
    points = rng().integers(0, 3, (3000, 4)).astype(np.float32)
    array, tensor = both(points, 81, identity(4))
    assert np.array_equal(tensor.centers, array.centers)
    assert np.array_equal(tensor.labels, array.labels)
    assert tensor.error == 0.0


def test_only_a_beginning_moves_to_the_host_to_count_distinct_vectors(monkeypatch):
    moved = []
    whole = fitting.host
    monkeypatch.setattr(fitting, "host", lambda value: moved.append(len(value)) or whole(value))
    fit(torch.from_numpy(rng().standard_normal((5000, 3))), 4, identity(3), rng(), Settings())
    assert moved == [32, 5000]  # The second are the names of the result.


def test_chunks_do_not_matter(monkeypatch):
    points = rng().standard_normal((9001, 4)).astype(np.float32)
    whole = fit(torch.from_numpy(points), 9, identity(4), rng(), Settings())
    monkeypatch.setattr(tensors, "_NUMBERS", 1000)
    monkeypatch.setattr(tensor_field, "_NUMBERS", 1000)
    assert_same(fit(torch.from_numpy(points), 9, identity(4), rng(), Settings()), whole)


def test_float32_products_are_not_rounded_further():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        points = rng().standard_normal((2000, 16)).astype(np.float32)
        assert_same(*both(points, 20, identity(16)))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.int32, torch.float64),
    ],
)
def test_every_dtype_widens_as_on_the_host(dtype, expected):
    rows = real_tensor(torch.ones(4, 6).to(dtype)[:, ::2])
    assert rows.dtype == expected
    assert rows.is_contiguous()


def test_what_cannot_be_clustered_goes_to_the_host_for_its_message():
    assert real_tensor(torch.tensor([[1.0, float("nan")]])) is None
    assert real_tensor(torch.ones(3)) is None
    assert real_tensor(torch.ones(2, 2, dtype=torch.complex64)) is None
