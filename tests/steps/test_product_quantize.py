"""Product quantisation: rows of codebooks, exact where there are few, learning afterwards."""

import pytest
import torch

from clusterpress.codes import kind_of, original_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import ProductQuantize


@pytest.mark.parametrize(("codebooks", "parts"), [("part", 36), ("layer", 1)])
def test_blocks_are_rows_of_their_codebook(network, context, codebooks, parts):
    ProductQuantize({"2": 4}, bits=2, codebooks=codebooks).apply(network, context)
    assert original_of(network[2]).shape == (parts, 4, 4)
    blocks = network[2].weight.reshape(12, 36, 4)
    groups = blocks.transpose(0, 1) if codebooks == "part" else [blocks.flatten(0, 1)]
    assert all(group.unique(dim=0).shape[0] <= 4 for group in groups)
    assert kind_of(network[0]) == kind_of(network[3]) == "dense"


def test_as_many_rows_as_blocks_change_nothing(network, context):
    before = network[2].weight.detach().clone()
    ProductQuantize({"2": 4}, bits=4).apply(network, context)
    assert context.facts["codebook_rows"] == context.facts["fewer_centroids"] == {"2": 12}
    assert torch.allclose(network[2].weight, before, atol=1e-6)


def test_kernels_are_the_blocks_of_a_convolution(network, context):
    ProductQuantize({"conv": 9}, bits=1, codebooks="layer").apply(network, context)
    assert network[0].weight.flatten(1).unique(dim=0).shape[0] == 2
    assert kind_of(network[2]) == "dense"


def test_the_same_seed_gives_the_same_codebooks(network, context):
    import copy

    first = ProductQuantize({"2": 4}, bits=2).apply(copy.deepcopy(network), context)
    second = ProductQuantize({"2": 4}, bits=2).apply(copy.deepcopy(network), context)
    assert torch.equal(first[2].weight, second[2].weight)


def test_the_codebooks_learn(network, context):
    ProductQuantize({"fc": 3}, bits=1).apply(network, context)
    network(torch.randn(2, 1, 8, 8)).sum().backward()
    assert original_of(network[2]).grad.abs().sum() > 0


def test_blocks_that_do_not_divide_name_the_layer(network, context):
    with pytest.raises(ConfigError, match="layer '2' has rows of 144 weights"):
        ProductQuantize({"3": 4, "2": 5}).apply(network, context)
    assert kind_of(network[3]) == "dense"


def test_blocks_that_do_not_divide_are_refused_before_training(network, context):
    with pytest.raises(ConfigError, match="layer '0' has rows of 9 weights, which blocks of 4"):
        ProductQuantize({"fc": 4, "conv": 4}).check(network)
    lenient = ProductQuantize({"fc": 4, "conv": 4}, exact=False)
    lenient.check(network)
    lenient.apply(network, context)
    assert context.facts["left_alone"] == ["0"]
    assert kind_of(network[0]) == "dense"


@pytest.mark.parametrize("knobs", [{"block": 0}, {"block": 4, "bits": 13}, {"block": {"fc": 1.5}}])
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        ProductQuantize(**knobs)
    with pytest.raises(ConfigError, match="part, layer"):
        ProductQuantize(4, codebooks="network")


def test_nan_weights_name_the_layer(network, context):
    with torch.no_grad():
        network[3].weight[0, 0] = float("nan")
    with pytest.raises(DataError, match="layer '3'"):
        ProductQuantize(4).apply(network, context)


def test_bfloat16_weights_stay_such(network, context):
    network.bfloat16()
    ProductQuantize({"3": 4}).apply(network, context)
    assert network[3].weight.dtype == torch.bfloat16


def test_blocks_and_bits_by_size_of_kernels_leave_other_layers_alone(network, context):
    step = ProductQuantize({"conv3x3": 9, "fc": 4}, {"conv": 1, "3": 3, "fc": 2}, "layer")
    step.check(network)
    step.apply(network, context)
    assert context.facts["codebook_rows"] == {"0": 2, "2": 4, "3": 8}
    assert original_of(network[2]).shape == (1, 4, 4)


def test_a_layer_of_another_size_stays(network, context):
    ProductQuantize({"conv1x1": 4, "conv7x7": 7, "2": 4}, 2).apply(network, context)
    assert context.facts["codebook_rows"] == {"2": 4}
    assert kind_of(network[0]) == "dense"


def test_blocks_without_bits_are_refused(network):
    with pytest.raises(ConfigError, match="nothing for the layer '0'"):
        ProductQuantize({"conv": 9}, {"fc": 2}).check(network)
    with pytest.raises(ConfigError, match="nearest is 'conv'"):
        ProductQuantize({"conv3": 9}).check(network)
