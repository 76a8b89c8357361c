"""Kernels of a network clustered: what is shared, what is left alone, what is refused."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from clusterpress.clustering import kmeans
from clusterpress.codes import code_of, kind_of, original_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import ClusterKernels


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3),
        nn.Conv2d(8, 6, 3, groups=2),
        nn.Conv2d(6, 4, 1),
        nn.Conv2d(4, 4, 5, bias=False),
        nn.Flatten(),
        nn.Linear(16, 3),
    )


SETS = {"3x3": 40, "5x5": 16}


def test_one_set_for_every_size_of_kernels(network, context):
    before = copy.deepcopy(network)
    ClusterKernels(k=6).apply(network, context)
    assert context.facts["kernels"] == SETS
    assert context.facts["centroids"] == {"3x3": 6, "5x5": 6}
    first, grouped, wide = (code_of(network[i]) for i in (0, 1, 3))
    assert first.kernel_set is grouped.kernel_set
    assert wide.kernel_set is not first.kernel_set
    assert [kind_of(network[i]) for i in (2, 5)] == ["dense", "dense"]
    assert torch.equal(network[2].weight, before[2].weight)
    errors = context.facts["relative_squared_error"]
    gap = (network[0].weight - before[0].weight).square().sum() / before[0].weight.square().sum()
    assert errors["0"] == pytest.approx(float(gap.detach()), rel=1e-5)


def test_as_many_centroids_as_kernels_lose_only_the_rounding_of_scales(network, context):
    before = network[0].weight.detach().clone()
    ClusterKernels(k=SETS, transforms=4).apply(network, context)
    torch.testing.assert_close(network[0].weight, before, rtol=2**-10, atol=1e-7)


def test_it_is_kmeans_of_normalised_kernels(network, context):
    kernels = [network[i].weight.detach().double().flatten(0, 1).numpy() for i in (0, 1)]
    kernels = np.concatenate(kernels)
    signs = np.where(kernels[:, 1, 1] < 0, -1, 1)
    scales = signs * np.sqrt((kernels**2).sum((1, 2)))
    units = (kernels / scales[:, None, None]).astype(np.float32).reshape(-1, 9)
    ClusterKernels(k=6).apply(network, context)
    rng = np.random.default_rng([context.clustering, 0])
    expected = kmeans(units, 6, rng=rng)
    labels = np.concatenate([code_of(network[i]).labels.flatten() for i in (0, 1)])
    assert np.array_equal(labels, expected.labels)
    found = code_of(network[0]).centroids.detach()
    torch.testing.assert_close(found, torch.from_numpy(expected.centers).float())
    given = original_of(network[0]).detach().flatten()
    torch.testing.assert_close(given, torch.from_numpy(scales[:16]).float())


def test_more_transforms_never_need_more_centroids(network, context):
    errors = []
    for transforms in (1, 2, 4, 8):
        one = copy.deepcopy(network)
        ClusterKernels(k=5, transforms=transforms, restarts=20).apply(one, context)
        errors.append(context.facts["relative_squared_error"]["0"])
        assert (code_of(one[0]).transforms is None) == (transforms == 1)
    assert errors[3] < errors[0]


def test_a_kernel_that_is_flipped_is_the_same_kernel(context):
    layer = nn.Conv2d(1, 4, 3)
    kernel = torch.arange(9.0).reshape(3, 3) + 1
    flipped = [kernel, kernel.flip(1), -2 * kernel.flip(0), 3 * kernel.flip(0, 1)]
    weight = torch.stack(flipped)[:, None]
    layer.weight.data = weight.clone()
    ClusterKernels(k=1, transforms=4).apply(nn.Sequential(layer), context)
    torch.testing.assert_close(layer.weight.detach(), weight, rtol=2**-10, atol=0)


def test_variant_n_clusters_the_kernels_themselves(network, context):
    ClusterKernels(k=6, scales=False).apply(network, context)
    kernels = network[0].weight.detach().flatten(2).flatten(0, 1)
    assert len(kernels.unique(dim=0)) <= 6
    assert original_of(network[0]).numel() == 0


def test_kernels_of_norm_zero_stay_zero(network, context):
    with torch.no_grad():
        network[0].weight[2] = 0
        network[1].weight[0, 0] = 0
    ClusterKernels(k=6).apply(network, context)
    assert context.facts["kernels"]["3x3"] == 37
    assert not network[0].weight[2].any()
    assert not network[1].weight[0, 0].any()
    assert network[0].weight[1].any()
    zeroed = nn.Sequential(nn.Conv2d(2, 3, 3))
    zeroed[0].weight.data[1] = 0
    with pytest.raises(ConfigError, match="2 kernels of norm zero"):
        ClusterKernels(k=2, scales=False).apply(zeroed, context)


def test_a_kernel_whose_centre_is_zero_has_a_positive_scale(context):
    layer = nn.Conv2d(1, 2, 3)
    with torch.no_grad():
        layer.weight[:, :, 1, 1] = 0
    norms = torch.linalg.vector_norm(layer.weight.detach(), dim=(2, 3))
    ClusterKernels(k=2).apply(nn.Sequential(layer), context)
    torch.testing.assert_close(original_of(layer).detach(), norms)


def test_sets_by_layer_and_by_name(network, context):
    one, other = copy.deepcopy(network), copy.deepcopy(network)
    ClusterKernels(k=20, sets="layer").apply(one, context)
    assert context.facts["centroids"] == {"0": 16, "1": 20, "3": 16}
    ClusterKernels(k={"a": 4, "b": 3}, sets={"a": ["1"], "b": ["3"]}).apply(other, context)
    assert context.facts["centroids"] == {"a": 4, "b": 3}
    assert kind_of(other[0]) == "dense"


def test_the_same_seed_gives_the_same_kernels(network, context):
    one, other = copy.deepcopy(network), copy.deepcopy(network)
    for each in (one, other):
        ClusterKernels(k=6, transforms=8).apply(each, context)
    assert torch.equal(one[0].weight, other[0].weight)


def test_sets_and_layers_may_be_named_by_whole_numbers(network, context):
    step = ClusterKernels(k={0: 4, 3: 3}, sets={0: [0, "1"], 3: [3]})
    step.check(network)
    step.apply(network, context)
    assert context.facts["centroids"] == {"0": 4, "3": 3}


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"k": 0}, "k=0"),
        ({"k": [4]}, r"k=\[4\]"),
        ({"k": {1.5: 4}}, r"k names 1\.5"),
        ({"k": {1: 4, "1": 3}}, "k names '1' twice, as a number and as text, with 4 and 3"),
        ({"sets": {1: ["0"], "1": ["3"]}}, "sets names '1' twice"),
        ({"sets": ["0"]}, r"sets=\['0'\] is neither"),
        ({"sets": {"a": "0"}}, "sets={'a': '0'} is neither"),
        ({"sets": {"a": [1.5]}}, r"sets names 1\.5"),
        ({"sets": {"a": []}}, "none of them empty"),
        ({"sets": None}, "sets=None is neither"),
        ({"k": {"3x3": True}}, "k=True"),
        ({"transforms": 3}, "transforms=3"),
        ({"transforms": True}, "transforms=True"),
        ({"scales": 1}, "scales=1"),
        ({"init": "linear"}, "init='linear'"),
        ({"dtype": "float64"}, "dtype='float64'"),
        ({"reestimate": 1}, "reestimate=1"),
        ({"restarts": 0}, "restarts=0"),
        ({"max_iterations": 1.5}, "max_iterations=1.5"),
    ],
)
def test_knobs_out_of_range_are_refused(knobs, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ClusterKernels(**knobs)


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"k": {"3x3": 41, "5x5": 4}}, "k=41 centroids were asked of the 40 kernels of the set"),
        ({"k": {"3x3": 4}}, "k names no number for the set '5x5' of 16 kernels"),
        ({"k": {"3x3": 4, "7x7": 4}}, "k names the set '7x7'"),
        ({"k": {3: 4}}, "k names the set '3'; nearest is '3x3'"),
        ({"sets": "layers"}, "sets='layers' is neither"),
        ({"sets": {"a": ["0", "3"]}, "k": 4}, "kernels of 3x3, 5x5; one size"),
        ({"sets": {"a": ["2"]}, "k": 4}, "names '2', which is no convolution of more than one"),
        ({"sets": {"a": ["0"], "b": ["0"]}, "k": 4}, "layers 0 are in more than one set"),
        ({"sets": {"a": ["0"]}, "k": 17}, "k=17 centroids were asked of the 16 kernels"),
        ({"k": 41}, "k=41 centroids were asked of sets of 40 kernels at most"),
        ({"sets": "layer", "k": 25}, "k=25 centroids were asked of sets of 24 kernels at most"),
    ],
)
def test_what_does_not_fit_the_network_is_refused_before_training(network, knobs, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ClusterKernels(**knobs).check(network)


def test_one_number_is_cut_for_smaller_sets_alone(network, context):
    ClusterKernels(40).apply(network, context)
    assert context.facts["centroids"] == {"3x3": 40, "5x5": 16}


def test_norms_can_be_estimated_anew(context):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8))
    images = torch.randn(50, 1, 8, 8)
    context.batches = lambda: [images]
    ClusterKernels(k=2, reestimate=True).apply(network, context)
    sums = network[0](images)
    torch.testing.assert_close(network[1].running_mean, sums.mean((0, 2, 3)))
    assert context.facts["reestimation_images"] == 50


def test_networks_without_kernels_are_refused(context):
    with pytest.raises(ConfigError, match="no convolution with kernels of more than one tap"):
        ClusterKernels().check(nn.Sequential(nn.Conv2d(1, 2, 1), nn.Linear(2, 2)))


def test_kernels_that_are_not_square_have_no_transforms(context):
    network = nn.Sequential(nn.Conv2d(1, 8, (1, 3)))
    ClusterKernels(k=3).apply(copy.deepcopy(network), context)
    with pytest.raises(ConfigError, match=r"transforms=2 needs square kernels.*1x3"):
        ClusterKernels(k=3, transforms=2).apply(network, context)


def test_a_broken_weight_is_named(network, context):
    network[1].weight.data[0, 0, 0, 0] = torch.nan
    with pytest.raises(DataError, match="layer '1' has 1 weights that are NaN"):
        ClusterKernels(k=4).apply(network, context)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_of_another_precision_still_computes_in_it(network, context, dtype):
    network = network.to(dtype)
    ClusterKernels(k=4).apply(network, context)
    convolution = next(layer for layer in network if isinstance(layer, nn.Conv2d))
    images = torch.randn(1, convolution.in_channels, 8, 8, dtype=dtype)
    assert convolution(images).dtype == dtype


@pytest.mark.parametrize("factor", [1e7, 1e-9])
def test_norms_that_no_scale_holds_name_the_layer(network, context, factor):
    network[1].weight.data *= factor
    with pytest.raises(DataError, match="layer '1' has a kernel of norm"):
        ClusterKernels(k=4).apply(network, context)


@pytest.mark.parametrize("kernels", [slice(0, 1), slice(0, 2)])
def test_kernels_that_no_scale_holds_are_left_out_beside_others(network, context, kernels):
    network[1].weight.data[0, kernels] *= 1e-9
    ClusterKernels(k=4).apply(network, context)
    weight = network[1].weight.detach()
    assert not weight[0, kernels].any()
    assert weight[1:].flatten(2).any(dim=2).all()
    assert context.facts["kernels"]["3x3"] == SETS["3x3"] - len(weight[0, kernels])


def test_a_set_without_kernels_says_so(network, context):
    with pytest.raises(ConfigError, match="none of them empty"):
        ClusterKernels(k=4, sets={"mine": []}).check(network)
    network[1].weight.data.zero_()
    with pytest.raises(ConfigError, match="the set '1' has no kernel to cluster"):
        ClusterKernels(k=4, sets="layer").apply(network, context)
