"""k-means on vectors against scikit-learn and by its invariants, and its edge cases."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from clusterpress.clustering import kmeans, label_type, optimal, threads
from clusterpress.clustering.vector import panels, wide
from clusterpress.errors import ConfigError, DataError

INITS = ("kmeans++", "random")
WIDE = 300  # Dimensions beyond those of the panels.


def rng(root=0):
    return np.random.default_rng(root)


def normals(n, d, dtype=np.float64):
    return rng().standard_normal((n, d)).astype(dtype)


def blobs(groups=10, size=40, width=6):
    centres = 30.0 * rng(1).standard_normal((groups, width))
    return np.repeat(centres, size, axis=0) + rng(2).standard_normal((groups * size, width))


def squares(points, centers):
    return ((np.asarray(points, np.float64)[:, None] - centers) ** 2).sum(axis=-1)


def reference(points, centers, iterations=300):
    """Lloyd's iterations in a few lines of numpy, for starts that leave no cluster empty."""
    labels = squares(points, centers).argmin(axis=1)
    for _ in range(iterations):
        centers = np.stack([points[labels == c].mean(axis=0) for c in range(len(centers))])
        moved = squares(points, centers).argmin(axis=1)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return labels


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inertia_is_as_good_as_scikit_learns(init, dtype):
    points = normals(1500, 9, dtype)
    sklearn_init = "k-means++" if init == "kmeans++" else init
    theirs = KMeans(32, init=sklearn_init, n_init=4, random_state=0).fit(points)
    ours = kmeans(points, 32, rng=rng(), init=init, restarts=4)
    assert ours.error <= 1.02 * theirs.inertia_


def test_separate_groups_are_found():
    found = kmeans(blobs(), 10, rng=rng(), restarts=3)
    assert adjusted_rand_score(np.repeat(np.arange(10), 40), found.labels) == 1.0


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("width", [5, WIDE])
def test_result_is_a_fixed_point(init, width):
    points = normals(400, width) + 100.0
    found = kmeans(points, 20, rng=rng(), init=init)
    distances = squares(points, found.centers)
    assert np.array_equal(distances.argmin(axis=1), found.labels)
    assert found.error == pytest.approx(distances.min(axis=1).sum())
    means = [points[found.labels == c].mean(axis=0) for c in range(20)]
    np.testing.assert_allclose(found.centers, means, rtol=1e-12)
    assert (found.centers.dtype, found.labels.dtype) == (np.float64, np.uint8)


@pytest.mark.parametrize("width", [2, 9, WIDE])
def test_float32_reports_float64_means_and_errors(width):
    points = normals(1003, width, np.float32) + np.float32(7.0)
    found = kmeans(points, 30, rng=rng())
    exact = points.astype(np.float64)
    distances = squares(exact, found.centers)
    own = distances[np.arange(len(points)), found.labels]
    assert (own <= distances.min(axis=1) * (1 + 1e-5) + 1e-5).all()
    assert found.error == pytest.approx(own.sum(), rel=1e-12)
    means = [exact[found.labels == c].mean(axis=0) for c in range(30)]
    np.testing.assert_allclose(found.centers, means, rtol=1e-12)


@pytest.mark.parametrize("width", [1, 3, 16, 64, 256, WIDE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_given_centres_lead_where_plain_iterations_lead(width, dtype):
    points = normals(517, width, dtype)
    found = kmeans(points, 6, rng=rng(), init=points[:6])
    assert np.array_equal(found.labels, reference(points.astype(np.float64), points[:6]))


def test_one_dimension_never_beats_the_optimum_and_comes_near():
    values = rng().standard_normal(500)
    best = optimal(values, 8).error
    found = kmeans(values[:, None], 8, rng=rng(), restarts=10).error
    assert best * (1 - 1e-12) <= found <= best * 1.02


def test_more_restarts_are_never_worse():
    points = normals(300, 4)
    curve = [kmeans(points, 12, rng=rng(), restarts=r).error for r in (1, 2, 4, 8)]
    assert (np.diff(curve) <= 0).all()


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 12), st.booleans())
@settings(deadline=None, max_examples=30, derandomize=True)
def test_more_iterations_are_never_worse(root, k, width, single):
    points = rng(root).standard_normal((300, width)).astype(np.float32 if single else np.float64)
    starts = points[:k].astype(np.float64)
    curve = [
        kmeans(points, k, rng=rng(), init=starts, max_iterations=m).error for m in (1, 2, 5, 50)
    ]
    assert (np.diff(curve) <= 1e-6 * curve[0]).all()
    assert curve[0] <= squares(points, starts).min(axis=1).sum() * (1 + 1e-6)


@pytest.mark.parametrize("width", [3, WIDE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_do_not_matter(monkeypatch, width, dtype):
    points = normals(500, width, dtype)
    whole = kmeans(points, 7, rng=rng())
    monkeypatch.setattr(panels, "_PIECE", 1)
    monkeypatch.setattr(wide, "_CHUNK_PRODUCTS", 100)
    assert np.array_equal(kmeans(points, 7, rng=rng()).labels, whole.labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_does_not_matter(monkeypatch, dtype):
    points = normals(70_001, 2, dtype)
    results = []
    for number in (1, 3):
        monkeypatch.setattr(threads, "available", lambda number=number: number)
        results.append(kmeans(points, 9, rng=rng(), max_iterations=5))
    one, many = results
    assert np.array_equal(one.labels, many.labels)
    assert np.array_equal(one.centers, many.centers)
    assert one.error == many.error


@pytest.mark.parametrize("width", [2, WIDE])
def test_empty_clusters_are_repaired(width):
    points = np.concatenate((np.zeros((500, width)), 5.0 + rng().standard_normal((20, width))))
    for root in range(5):
        found = kmeans(points, 12, rng=rng(root), init="random")
        assert len(found.centers) == 12
        assert np.bincount(found.labels, minlength=12).min() > 0


def test_an_empty_cluster_takes_the_farthest_vector_that_is_not_the_last_of_another():
    points = np.array([[0.0], [1.0], [10.0], [12.0], [50.0]])
    starts = np.array([[0.5], [11.0], [90.0], [-900.0], [900.0]])[[0, 1, 2, 3]]
    found = kmeans(points, 4, rng=rng(), init=starts, max_iterations=1)
    # 50 is the farthest, but alone; of 10 and 12 the first goes, and 12 stays.
    assert found.centers.ravel().tolist() == [0.5, 12.0, 50.0, 10.0]
    assert found.labels.tolist() == [0, 0, 3, 1, 2]


def test_ties_go_to_the_lowest_label():
    points = np.array([[-1.0], [1.0], [0.0], [0.0], [-1.0], [1.0]])
    for starts in ([[-1.0], [1.0]], [[1.0], [-1.0]]):
        found = kmeans(points, 2, rng=rng(), init=starts, max_iterations=1)
        assert found.labels[2] == found.labels[3] == 0


@pytest.mark.parametrize("init", INITS)
def test_fewer_distinct_vectors_than_clusters(init):
    points = np.array([[0.1, 0.0], [0.3, 1.0], [0.1, -0.0], [0.3, 1.0], [0.1, 0.0]])
    found = kmeans(points, 4, rng=rng(), init=init)
    assert found.centers.tolist() == [[0.1, 0.0], [0.3, 1.0]]
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert found.error == 0.0


def test_few_distinct_vectors_among_many():
    values = rng().integers(0, 3, (200_000, 4)).astype(np.float32)
    found = kmeans(values, 81, rng=rng())
    assert np.array_equal(found.centers[found.labels], values)
    assert np.array_equal(found.centers, np.unique(values, axis=0))
    assert kmeans(values, 80, rng=rng(), max_iterations=2).error > 0.0


@pytest.mark.parametrize("init", INITS)
def test_constant_and_single_vectors(init):
    for points in (np.full((6, 3), 0.1), np.full((1, 3), 0.1)):
        found = kmeans(points, 1, rng=rng(), init=init)
        assert found.centers.tolist() == [[0.1] * 3]
        assert found.error == 0.0


def test_as_many_clusters_as_vectors():
    points = normals(40, 3)
    found = kmeans(points, 40, rng=rng())
    assert np.array_equal(found.centers[found.labels], points)


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


def test_integers_and_lists_are_points_too():
    points = rng().integers(-50, 50, (60, 3))
    found = kmeans(points.tolist(), 5, rng=rng())
    assert np.array_equal(found.labels, kmeans(points.astype(np.float64), 5, rng=rng()).labels)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_tensors_in_tensors_out(dtype):
    points = torch.from_numpy(normals(80, 4)).to(dtype)
    found = kmeans(points, 5, rng=rng(), weights=torch.ones(80), init=points[:5])
    wide = points.double().numpy()
    single = wide if dtype == torch.float64 else wide.astype(np.float32)
    same = kmeans(single, 5, rng=rng(), init=wide[:5])
    assert isinstance(found.labels, torch.Tensor)
    assert np.array_equal(found.labels.numpy(), same.labels)
    assert np.array_equal(found.centers.numpy(), same.centers)
    assert found.error == same.error


@pytest.mark.parametrize("k", [200, 256, 257, 2000])
def test_labels_take_the_smallest_type(k):
    points = normals(2000, 2)
    assert kmeans(points, k, rng=rng(), max_iterations=1).labels.dtype == label_type(k)


@pytest.mark.parametrize("width", [3, WIDE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_weight_counts_like_repeated_vectors(width, dtype):
    points = normals(300, width, dtype)
    weights = rng(1).integers(1, 5, 300)
    weighted = kmeans(points, 12, rng=rng(), weights=weights)
    repeated = kmeans(np.repeat(points, weights, axis=0), 12, rng=rng())
    assert np.array_equal(np.repeat(weighted.labels, weights), repeated.labels)
    np.testing.assert_allclose(weighted.centers, repeated.centers, atol=1e-12)
    assert weighted.error == pytest.approx(repeated.error)


@pytest.mark.parametrize("init", INITS)
def test_the_scale_of_weights_does_not_matter(init):
    points = normals(300, 3, np.float32)
    weights = rng(1).uniform(1, 3, 300)
    found = kmeans(points, 12, rng=rng(), weights=weights, init=init)
    for scale in (2.0**-300, 2.0**300):
        scaled = kmeans(points, 12, rng=rng(), weights=weights * scale, init=init)
        assert np.array_equal(scaled.labels, found.labels)
        assert scaled.error == found.error * scale


@pytest.mark.parametrize("init", INITS)
def test_draws_honour_weights(init):
    points = np.array([[0.0], [1.0], [2.0], [3.0]])
    weights = [1e-9, 1.0, 1e-9, 1.0]
    for root in range(20):
        found = kmeans(points, 2, rng=rng(root), init=init, weights=weights, max_iterations=1)
        np.testing.assert_allclose(np.sort(found.centers.ravel()), [1.0, 3.0], atol=1e-6)


@pytest.mark.parametrize(("scale", "dtype"), [(2.0**-80, np.float32), (2.0**-500, np.float64)])
def test_powers_of_two_scale_the_result(scale, dtype):
    points = normals(400, 4, dtype)
    found = kmeans(points, 15, rng=rng())
    for factor in (scale, 1 / scale):
        scaled = kmeans(points * dtype(factor), 15, rng=rng())
        assert np.array_equal(scaled.labels, found.labels)
        np.testing.assert_array_equal(scaled.centers, found.centers * factor)


def test_a_shift_moves_the_centres_only():
    points = rng().integers(-(2**10), 2**10, (400, 4)) / 2.0**10
    found = kmeans(points, 15, rng=rng())
    shifted = kmeans(points + 2.0**20, 15, rng=rng())
    assert np.array_equal(shifted.labels, found.labels)
    np.testing.assert_allclose(shifted.centers - 2.0**20, found.centers, atol=1e-9)


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


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="n_init"):
        kmeans(np.eye(3), 2, rng=rng(), n_init=3)


def test_wrong_points_are_refused():
    with pytest.raises(DataError, match="2 of 4 are not; the first, at flat index 1, is nan"):
        kmeans([[0.0, np.nan], [1.0, np.inf]], 1, rng=rng())
    with pytest.raises(DataError, match=r"must have the shape \(n, d\), but theirs is \(3,\)"):
        kmeans([0.0, 1.0, 2.0], 1, rng=rng())


def test_wrong_weights_and_centres_are_refused():
    with pytest.raises(DataError, match="2 weights were given for 3"):
        kmeans(np.eye(3), 2, rng=rng(), weights=[1.0, 2.0])
    with pytest.raises(DataError, match="must be positive"):
        kmeans(np.eye(3), 2, rng=rng(), weights=[1.0, 0.0, 2.0])
    with pytest.raises(DataError, match=r"2 first centres of 3 numbers.*is \(2, 2\)"):
        kmeans(np.eye(3), 2, rng=rng(), init=np.eye(2))
