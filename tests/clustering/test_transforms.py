"""Transform-invariant k-means by its invariants."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering import kmeans, transform, transform_invariant
from clusterpress.clustering.vector.orbits import TRANSFORMS, square
from clusterpress.errors import ConfigError, DataError


def rng(root=0):
    return np.random.default_rng(root)


def kernels(n=600, side=3, dtype=np.float64, root=0):
    return rng(root).standard_normal((n, side, side)).astype(dtype)


def decoded(found):
    return transform(found.centers[found.labels], found.transforms)


def by_hand(kernel):
    """All eight, as METHODS.md lists them."""
    four = [kernel, np.fliplr(kernel), np.flipud(kernel), np.flipud(np.fliplr(kernel))]
    turned = np.rot90(kernel)
    return [*four, turned, np.fliplr(turned), np.flipud(turned), np.flipud(np.fliplr(turned))]


@pytest.mark.parametrize("side", [1, 2, 3, 5])
def test_the_transforms_are_flips_and_rotations(side):
    kernel = np.arange(side * side, dtype=np.float64).reshape(side, side)
    for t, expected in enumerate(by_hand(kernel)):
        assert np.array_equal(transform(kernel[None], [t])[0], expected)


@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_the_transforms_are_a_group(transforms):
    turns = square(3, transforms).turns
    members = {tuple(turn) for turn in turns.tolist()}
    assert len(members) == transforms
    assert {tuple(one[other]) for one in turns for other in turns} == members


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", ["kmeans++", "random"])
def test_one_transform_is_plain_kmeans_to_the_bit(dtype, init):
    points = kernels(dtype=dtype)
    weights = rng(1).uniform(0.5, 2.0, len(points))
    plain = kmeans(points.reshape(-1, 9), 20, rng=rng(), init=init, restarts=2, weights=weights)
    found = transform_invariant(
        points, 20, transforms=1, rng=rng(), init=init, restarts=2, weights=weights
    )
    assert np.array_equal(found.centers.reshape(-1, 9), plain.centers)
    assert np.array_equal(found.labels, plain.labels)
    assert found.error == plain.error
    assert not found.transforms.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_the_error_is_that_of_the_decoded_kernels(transforms, dtype):
    points = kernels(dtype=dtype) + dtype(3.0)
    found = transform_invariant(points, 16, transforms=transforms, rng=rng())
    assert found.centers.shape == (16, 3, 3)
    assert found.transforms.max() < transforms
    assert found.error == pytest.approx(((points - decoded(found)) ** 2).sum(), rel=1e-9)


@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_result_is_a_fixed_point(transforms):
    points = kernels()
    found = transform_invariant(points, 16, transforms=transforms, rng=rng())
    turns = square(3, transforms).turns
    candidates = found.centers.reshape(-1, 9)[:, turns].reshape(-1, 9)
    distances = ((points.reshape(-1, 1, 9) - candidates) ** 2).sum(axis=-1)
    cluster, turn = np.divmod(distances.argmin(axis=1), transforms)
    assert np.array_equal(found.labels, cluster)
    assert np.array_equal(found.transforms, turn)
    back = np.argsort(turns, axis=1)[found.transforms]
    undone = np.take_along_axis(points.reshape(-1, 9), back, axis=1)
    means = [undone[found.labels == c].mean(axis=0) for c in range(16)]
    np.testing.assert_allclose(found.centers.reshape(-1, 9), means, atol=1e-12)


@given(st.integers(0, 2**32), st.sampled_from(TRANSFORMS), st.booleans())
@settings(deadline=None, max_examples=40, derandomize=True)
def test_transforming_any_of_the_input_changes_no_error(root, transforms, single):
    points = kernels(200, dtype=np.float32 if single else np.float64, root=root) + 1.0
    starts = points[:7]
    turned = transform(points, rng(root).integers(0, transforms, len(points)))
    one, other = (
        transform_invariant(these, 7, transforms=transforms, rng=rng(), init=starts)
        for these in (points, turned)
    )
    assert np.array_equal(one.labels, other.labels)
    assert one.error == pytest.approx(other.error, rel=1e-6)
    np.testing.assert_allclose(one.centers, other.centers, atol=1e-6)


@pytest.mark.parametrize("init", ["kmeans++", "random"])
def test_seeds_do_not_tell_transforms_apart_either(init):
    points = kernels(300) + 1.0
    turned = transform(points, rng(1).integers(0, 8, len(points)))
    one, other = (
        transform_invariant(these, 9, transforms=8, rng=rng(), init=init)
        for these in (points, turned)
    )
    assert np.array_equal(one.labels, other.labels)
    assert one.error == pytest.approx(other.error)


@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(2, 4))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_more_transforms_are_never_worse_in_one_assignment(root, k, side):
    points = kernels(150, side, root=root)
    centers = points[:k].reshape(k, -1)
    errors = []
    for transforms in TRANSFORMS:
        candidates = centers[:, square(side, transforms).turns].reshape(-1, side * side)
        flat = points.reshape(len(points), 1, -1)
        errors.append(((flat - candidates) ** 2).sum(axis=-1).min(axis=1).sum())
        found = transform_invariant(
            points, k, transforms=transforms, rng=rng(), init=points[:k], max_iterations=1
        )
        assert found.error <= errors[-1] * (1 + 1e-9)
    assert (np.diff(errors) <= 0).all()


@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_transforms_of_a_few_kernels_are_found_exactly(transforms):
    few = kernels(5)
    chosen, turns = rng(1).integers(0, 5, 400), rng(2).integers(0, transforms, 400)
    points = transform(few[chosen], turns)
    found = transform_invariant(points, 5, transforms=transforms, rng=rng())
    assert len(found.centers) == 5
    assert np.array_equal(decoded(found), points)
    assert found.error == 0.0
    noisy = points + 1e-6 * rng(3).standard_normal(points.shape)
    near = transform_invariant(noisy, 5, transforms=transforms, rng=rng(), restarts=3)
    assert near.error < 400 * 9 * 1e-11


@pytest.mark.parametrize("transforms", [2, 8])
def test_a_symmetric_kernel_takes_the_first_transform(transforms):
    points = np.concatenate((np.ones((3, 3, 3)), 5.0 + kernels(20)))
    found = transform_invariant(points, 4, transforms=transforms, rng=rng())
    constant = transform_invariant(points[:3], 1, transforms=transforms, rng=rng())
    assert not found.transforms[:3].any()
    assert not constant.transforms.any()
    assert np.array_equal(constant.centers, points[:1])


@pytest.mark.parametrize("transforms", [2, 8])
def test_a_weight_counts_like_repeated_kernels(transforms):
    points = kernels(300)
    weights = rng(1).integers(1, 5, 300)
    weighted = transform_invariant(points, 9, transforms=transforms, rng=rng(), weights=weights)
    repeated = transform_invariant(
        np.repeat(points, weights, axis=0), 9, transforms=transforms, rng=rng()
    )
    assert np.array_equal(np.repeat(weighted.labels, weights), repeated.labels)
    assert np.array_equal(np.repeat(weighted.transforms, weights), repeated.transforms)
    assert weighted.error == pytest.approx(repeated.error)


@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_empty_clusters_are_repaired(transforms):
    points = np.concatenate((np.zeros((500, 2, 2)), 5.0 + kernels(20, 2)))
    found = transform_invariant(points, 12, transforms=transforms, rng=rng(), init="random")
    assert len(found.centers) == 12
    assert np.bincount(found.labels, minlength=12).min() > 0


def test_large_kernels_go_the_same_way():
    points = kernels(60, 18)  # More dimensions than panels take.
    found = transform_invariant(points, 4, transforms=8, rng=rng())
    assert found.error == pytest.approx(((points - decoded(found)) ** 2).sum())


def test_tensors_in_tensors_out():
    points = torch.from_numpy(kernels(100, dtype=np.float32))
    found = transform_invariant(points, 5, transforms=8, rng=rng())
    same = transform_invariant(points.numpy(), 5, transforms=8, rng=rng())
    assert isinstance(found.transforms, torch.Tensor)
    assert np.array_equal(found.transforms.numpy(), same.transforms)
    assert np.array_equal(found.centers.numpy(), same.centers)


def test_wrong_settings_and_kernels_are_refused():
    with pytest.raises(ConfigError, match="transforms must be one of 1, 2, 4, 8, but it is 3"):
        transform_invariant(kernels(), 2, transforms=3, rng=rng())
    for shape in ((4, 9), (4, 3, 2), (9,)):
        with pytest.raises(DataError, match=r"must have the shape \(n, s, s\)"):
            transform_invariant(np.zeros(shape), 2, transforms=2, rng=rng())
    with pytest.raises(DataError, match="must be finite"):
        transform_invariant(np.full((4, 3, 3), np.nan), 2, transforms=2, rng=rng())
