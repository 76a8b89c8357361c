"""What checks know of a network: its images, and what the steps before their own will do."""

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.steps import (
    Binarize,
    ClusterKernels,
    ClusterLinear,
    EntropyShare,
    HashWeights,
    MergeNeurons,
    ProductQuantize,
    Prune,
    PruneNeurons,
    Quantize,
    QuantizeCodebook,
    Reinitialize,
    Share,
    SoftShare,
    Ternarize,
)
from clusterpress.steps.example import example_of
from clusterpress.steps.foresight import checking_in_order
from clusterpress.training.recipe import Recipe

# Rows of layer '3' have 12 weights; with two thirds of the neurons before it, 8.
NARROWING = [PruneNeurons({"2": 2 / 3}), MergeNeurons({"2": 2 / 3})]
CUTTING = [
    lambda: ProductQuantize({"3": 8}, 1),
    lambda: SoftShare(Recipe(), bits={"3": 1}, dim=8),
]


@pytest.mark.parametrize("name", ["lenet300_100", "lenet5", "resnet20"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_model_says_which_images_it_takes(name, channels):
    network = MODELS[name](channels=channels)
    example = example_of(network)
    assert example.shape == (1, channels, *network.image_size)
    assert network.training


@pytest.mark.parametrize("size", [None, 8, (8,), (9, 9), (0, 0), ("8", "8")])
def test_a_network_that_does_not_say_so_has_no_example(network, size):
    if size is not None:
        network.image_size = size
    assert example_of(network) is None
    assert example_of(nn.ReLU()) is None
    network.image_size = (8, 8)
    assert torch.equal(example_of(network), torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("narrowing", NARROWING)
@pytest.mark.parametrize("cutting", CUTTING)
def test_blocks_may_divide_rows_that_an_earlier_step_makes(network, context, narrowing, cutting):
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        cutting().check(network)
    with checking_in_order():
        for step in (narrowing, cutting()):
            step.check(network)
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        cutting().check(network)
    narrowing.apply(network, context)
    cutting().check(network)
    cutting().apply(network, context)


def test_a_block_longer_than_a_row_is_refused_whatever_comes_before(network):
    with checking_in_order():
        PruneNeurons(0.5).check(network)
        with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
            SoftShare(Recipe(), bits={"3": 1}, dim=16).check(network)


STEPS = {
    "merge": lambda: MergeNeurons(0.5),
    "prune neurons": lambda: PruneNeurons(0.5),
    "reinitialize": Reinitialize,
    "prune": lambda: Prune(0.5),
    "prune a layer": lambda: Prune({"3": 0.5}),
    "prune nothing": lambda: Prune(1.0),
    "prune less than one": lambda: Prune(0.9999),
    "prune zeros": lambda: Prune(threshold=0.0),
    "prune nearly all": lambda: Prune({"3": 0.1}),
    "share": lambda: Share(2),
    "share small": lambda: Share({"3": 4}),
    "cluster linear": lambda: ClusterLinear(2),
    "cluster kernels": lambda: ClusterKernels(2),
    "entropy": EntropyShare,
    "codebook": QuantizeCodebook,
    "product": lambda: ProductQuantize({"3": 2}, 1),
    "product of some": lambda: ProductQuantize(8, 1, exact=False),
    "hash": lambda: HashWeights({"3": 8}),
    "quantize": lambda: Quantize(4),
    "one bit": lambda: Quantize({"3": 1}),
    "trained levels": lambda: Quantize({"3": 4}, recipe=Recipe()),
    "soft": lambda: SoftShare(Recipe(), bits={"3": 1}),
    "binarize": lambda: Binarize(Recipe()),
    "ternarize": lambda: Ternarize(Recipe()),
}


@pytest.mark.parametrize("second", STEPS)
@pytest.mark.parametrize("first", STEPS)
def test_what_cannot_follow_a_step_is_refused_before_either_runs(network, context, first, second):
    """Checks foresee just what the steps refuse when they run one after the other."""
    if first == "codebook":
        network = Share(2).apply(network, context)
    _agree(network, context, STEPS[first](), STEPS[second]())


@pytest.mark.parametrize("third", STEPS)
@pytest.mark.parametrize("second", ["share", "quantize", "product of some", "merge"])
@pytest.mark.parametrize("first", ["prune", "prune nothing", "prune nearly all", "share"])
def test_what_a_step_undoes_of_an_earlier_one_is_foreseen(network, context, first, second, third):
    """Levels have no mask, so that what was pruned is pruned no more."""
    _agree(network, context, *(STEPS[each]() for each in (first, second, third)))


def _agree(network, context, *steps):
    with checking_in_order():
        refused = any(_refuses(step.check, network) for step in steps)
    assert refused == any(_refuses(step.apply, network, context) for step in steps)


def _refuses(call, *arguments):
    try:
        call(*arguments)
    except ConfigError:
        return True
    return False


@pytest.mark.parametrize("masking", [Prune(threshold=0.0), Prune(keep=1.0)])
def test_kernels_that_are_zero_as_a_whole_may_be_masked_before_clustering(
    network, context, masking
):
    with torch.no_grad():
        network[0].weight[0] = 0.0
    clustering = ClusterKernels(2)
    with checking_in_order():
        masking.check(network)
        clustering.check(network)
    clustering.apply(masking.apply(network, context), context)
    assert not network[0].weight[0].any()


def test_rows_that_no_narrower_layer_is_read_by_are_final():
    network = MODELS["lenet5"](channels=1)  # Rows of 25 and 500 weights, and of 800 and 500.
    for merged, block, refused in (
        (MergeNeurons(0.5), {"conv1": 4}, True),
        (MergeNeurons({"ip1": 0.5}), {"conv2": 3}, True),
        (MergeNeurons({"conv1": 0.5}), {"conv2": 3}, False),
        (MergeNeurons(1.0), {"conv2": 3}, True),
    ):
        with checking_in_order():
            merged.check(network)
            assert _refuses(ProductQuantize(block, 1).check, network) == refused


def test_a_check_by_itself_foresees_nothing(network):
    with checking_in_order():
        Prune(0.5).check(network)
    HashWeights({"3": 8}).check(network)
    Prune(0.5).check(network)
    HashWeights({"3": 8}).check(network)
