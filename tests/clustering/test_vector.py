"""k-means on vectors against scikit-learn, and its edge cases."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from clusterpress.clustering import kmeans, optimal, vector
from clusterpress.errors import ConfigError, DataError

INITS = ("kmeans++", "random")


def rng(root=0):
    return np.random.default_rng(root)


def blobs(groups=10, size=40, width=6):
    centres = 30.0 * rng(1).standard_normal((groups, width))
    return np.repeat(centres, size, axis=0) + rng(2).standard_normal((groups * size, width))


@pytest.mark.parametrize("init", INITS)
def test_inertia_is_as_good_as_scikit_learns(init):
    points = rng().standard_normal((1500, 9))
    sklearn_init = "k-means++" if init == "kmeans++" else init
    theirs = KMeans(32, init=sklearn_init, n_init=4, random_state=0).fit(points)
    ours = kmeans(points, 32, rng=rng(), init=init, restarts=4)
    assert ours.error <= 1.02 * theirs.inertia_


def test_separate_groups_are_found():
    found = kmeans(blobs(), 10, rng=rng(), restarts=3)
    assert adjusted_rand_score(np.repeat(np.arange(10), 40), found.labels) == 1.0


@pytest.mark.parametrize("init", INITS)
def test_result_is_a_fixed_point(init):
    points = rng().standard_normal((400, 5)) + 100.0
    found = kmeans(points, 20, rng=rng(), init=init)
    distances = ((points[:, None] - found.centers) ** 2).sum(axis=-1)
    assert np.array_equal(distances.argmin(axis=1), found.labels)
    assert found.error == pytest.approx(distances.min(axis=1).sum())
    means = [points[found.labels == c].mean(axis=0) for c in range(20)]
    np.testing.assert_allclose(found.centers, means, rtol=1e-12)
    assert (found.centers.dtype, found.labels.dtype) == (np.float64, np.int64)


def test_one_dimension_never_beats_the_optimum_and_comes_near():
    values = rng().standard_normal(500)
    best = optimal(values, 8).error
    found = kmeans(values[:, None], 8, rng=rng(), restarts=10).error
    assert best * (1 - 1e-12) <= found <= best * 1.02


def test_more_restarts_are_never_worse():
    points = rng().standard_normal((300, 4))
    curve = [kmeans(points, 12, rng=rng(), restarts=r).error for r in (1, 2, 4, 8)]
    assert (np.diff(curve) <= 0).all()


def test_chunks_do_not_matter(monkeypatch):
    points = rng().standard_normal((500, 3))
    whole = kmeans(points, 7, rng=rng())
    monkeypatch.setattr(vector, "_CHUNK_DISTANCES", 100)
    assert np.array_equal(kmeans(points, 7, rng=rng()).labels, whole.labels)


def test_empty_clusters_are_repaired():
    points = np.concatenate((np.zeros((500, 2)), 5.0 + rng().standard_normal((20, 2))))
    for root in range(5):
        found = kmeans(points, 12, rng=rng(root), init="random")
        assert len(found.centers) == 12
        assert np.bincount(found.labels, minlength=12).min() > 0


@pytest.mark.parametrize("init", INITS)
def test_fewer_distinct_vectors_than_clusters(init):
    points = np.array([[0.1, 0.0], [0.3, 1.0], [0.1, -0.0], [0.3, 1.0], [0.1, 0.0]])
    found = kmeans(points, 4, rng=rng(), init=init)
    assert found.centers.tolist() == [[0.1, 0.0], [0.3, 1.0]]
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert found.error == 0.0


@pytest.mark.parametrize("init", INITS)
def test_constant_and_single_vectors(init):
    for points in (np.full((6, 3), 0.1), np.full((1, 3), 0.1)):
        found = kmeans(points, 1, rng=rng(), init=init)
        assert found.centers.tolist() == [[0.1] * 3]
        assert found.error == 0.0


@pytest.mark.parametrize("init", INITS)
def test_it_is_deterministic(init):
    points = np.tile(rng().standard_normal((50, 2)).round(1), (4, 1))
    first, second = (kmeans(points, 9, rng=rng(3), init=init) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.centers, second.centers)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_every_dtype_and_layout(dtype):
    points = rng().standard_normal((60, 40)).astype(dtype)[::2, ::-5]
    wide = np.ascontiguousarray(points, np.float64)
    assert np.array_equal(kmeans(points, 5, rng=rng()).labels, kmeans(wide, 5, rng=rng()).labels)


@pytest.mark.parametrize(
    ("k", "options", "message"),
    [
        (4, {}, "4 clusters were asked of 3"),
        (0, {}, "at least 1, but it is 0"),
        (2, {"init": "best"}, "init is 'best'; it must be one of kmeans"),
        (2, {"restarts": 0}, "restarts must be at least 1, but it is 0"),
        (2, {"max_iterations": 0}, "max_iterations must be at least 1, but it is 0"),
    ],
)
def test_wrong_settings_are_refused(k, options, message):
    with pytest.raises(ConfigError, match=message):
        kmeans(np.eye(3), k, rng=rng(), **options)


def test_wrong_points_are_refused():
    with pytest.raises(DataError, match="2 of 4 are not; the first, at flat index 1, is nan"):
        kmeans([[0.0, np.nan], [1.0, np.inf]], 1, rng=rng())
    with pytest.raises(DataError, match=r"must have the shape \(n, d\), but theirs is \(3,\)"):
        kmeans([0.0, 1.0, 2.0], 1, rng=rng())
