"""Product quantisation is k-means on every part."""

import numpy as np
import pytest
import torch

from clusterpress.clustering import kmeans, product_quantize
from clusterpress.errors import ConfigError, DataError


def rng(root=0):
    return np.random.default_rng(root)


def decoded(found):
    picked = np.take_along_axis(found.centers, found.labels.T[:, :, None], axis=1)
    return np.concatenate(picked, axis=1)


@pytest.mark.parametrize("parts", [1, 2, 3, 6, 12])
def test_every_part_is_clustered_by_itself(parts):
    points = rng().standard_normal((300, 12))
    weights = rng(1).uniform(1.0, 2.0, 300)
    found = product_quantize(points, 8, parts=parts, rng=rng(2), weights=weights)
    shared, error = rng(2), 0.0
    for part, columns in enumerate(np.split(points, parts, axis=1)):
        alone = kmeans(columns, 8, rng=shared, weights=weights)
        assert np.array_equal(found.centers[part], alone.centers)
        assert np.array_equal(found.labels[:, part], alone.labels)
        error += alone.error
    assert found.error == pytest.approx(error)
    assert found.centers.shape == (parts, 8, 12 // parts)
    assert (found.labels.shape, found.labels.dtype) == ((300, parts), np.uint8)


def test_the_error_is_that_of_the_decoded_vectors():
    points = rng().standard_normal((300, 12)).astype(np.float32)
    found = product_quantize(points, 16, parts=4, rng=rng())
    assert found.error == pytest.approx(((points - decoded(found)) ** 2).sum())


def test_more_parts_are_no_worse_here():
    points = rng().standard_normal((300, 12))
    errors = [product_quantize(points, 16, parts=p, rng=rng()).error for p in (1, 2, 4, 12)]
    assert (np.diff(errors) < 0).all()


def test_a_part_of_few_distinct_vectors_leaves_centres_unused():
    points = np.concatenate((rng().standard_normal((50, 2)), np.ones((50, 2))), axis=1)
    found = product_quantize(points, 5, parts=2, rng=rng())
    assert np.array_equal(found.centers[1], np.concatenate((np.ones((1, 2)), np.zeros((4, 2)))))
    assert not found.labels[:, 1].any()
    assert found.error == pytest.approx(((points - decoded(found)) ** 2).sum())


def test_first_centres_are_given_for_every_part():
    points = rng().standard_normal((100, 6))
    starts = np.stack(np.split(points[:4], 3, axis=1))
    found = product_quantize(points, 4, parts=3, rng=rng(), init=starts)
    alone = kmeans(points[:, 2:4], 4, rng=rng(), init=points[:4, 2:4])
    assert np.array_equal(found.labels[:, 1], alone.labels)
    with pytest.raises(DataError, match=r"shape \(parts, k, d / parts\), with 3 parts"):
        product_quantize(points, 4, parts=3, rng=rng(), init=points[:4])


def test_tensors_in_tensors_out():
    points = torch.from_numpy(rng().standard_normal((100, 6))).float()
    found = product_quantize(points, 4, parts=3, rng=rng())
    same = product_quantize(points.numpy(), 4, parts=3, rng=rng())
    assert isinstance(found.labels, torch.Tensor)
    assert np.array_equal(found.labels.numpy(), same.labels)
    assert np.array_equal(found.centers.numpy(), same.centers)


@pytest.mark.parametrize("parts", [0, 5, -2, 24])
def test_parts_that_do_not_divide_are_refused(parts):
    with pytest.raises(
        ConfigError, match=f"divide the 12 columns of the points, but it is {parts}"
    ):
        product_quantize(np.ones((5, 12)), 2, parts=parts, rng=rng())
