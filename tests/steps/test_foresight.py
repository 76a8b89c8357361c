"""What checks know of a network: its images, and what the steps before their own will do."""

import copy

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
from clusterpress.steps.foresight import check_in_order, checkable, checking_in_order
from clusterpress.training.recipe import Recipe

# Rows of layer '3' have 12 weights; with two thirds of the neurons before it, 8.
NARROWING = [PruneNeurons({"2": 2 / 3}), MergeNeurons({"2": 2 / 3})]
KNOWN = [None, torch.zeros(1, 1, 8, 8)]
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


@pytest.mark.parametrize("example", KNOWN)
@pytest.mark.parametrize("narrowing", NARROWING)
@pytest.mark.parametrize("cutting", CUTTING)
def test_blocks_may_divide_rows_that_an_earlier_step_makes(
    network, context, narrowing, cutting, example
):
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        cutting().check(network)
    with checking_in_order(network, example) as check:
        for step in (narrowing, cutting()):
            check(step)
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        cutting().check(network)
    narrowing.apply(network, context)
    cutting().check(network)
    cutting().apply(network, context)


@pytest.mark.parametrize(
    "cutting",
    [SoftShare(Recipe(), bits={"3": 1}, dim=16), ProductQuantize({"3": 16}, 1)],
    ids=["soft", "product"],
)
def test_a_block_longer_than_a_row_is_refused_whatever_comes_before(network, cutting):
    with checking_in_order(network) as check:
        check(PruneNeurons(0.5))
        with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
            check(cutting)


# Of 4, 12 and 3 neurons 2, 6 and 3 stay: 18, 432 and 18 weights, in rows of 9, 72 and 6.
AT_HALF = {
    "more centroids than weights": (Share({"0": 5}), True),
    "as many centroids": (Share({"0": 4}), False),
    "more kernels": (ClusterKernels(3), True),
    "as many kernels": (ClusterKernels(2), False),
    "blocks of 4": (ProductQuantize({"3": 4}, 1), True),
    "blocks of 3": (ProductQuantize({"3": 3}, 1), False),
    "soft blocks of 4": (SoftShare(Recipe(), bits={"3": 1}, dim=4), True),
    "layer by layer": (PruneNeurons({"2": 0.2}), False),
    "a target": (PruneNeurons(remove=0.85), False),
    "too high a target": (MergeNeurons(remove=0.9), True),
}


@pytest.mark.parametrize("first", [MergeNeurons(0.5), PruneNeurons(remove=0.7)])
@pytest.mark.parametrize("of", AT_HALF)
def test_widths_that_follow_from_shapes_are_foreseen(network, context, first, of):
    second, refused = AT_HALF[of]
    with checking_in_order(network, KNOWN[1]) as check:
        check(first)
        assert _refuses(check, second) == refused
    first.apply(network, context)
    assert [network[at].weight.shape[0] for at in (0, 2, 3)] == [2, 6, 3]
    assert _refuses(second.apply, network, context) == refused


def test_widths_that_follow_from_weights_are_left_to_the_steps(network, context):
    first = MergeNeurons(distance=0.0)
    with checking_in_order(network, KNOWN[1]) as check:
        for step in (first, PruneNeurons(remove=0.97), Share({"0": 5}), Prune({"0": 0.99})):
            check(step)
        check(HashWeights({"0": 2}))


@pytest.mark.parametrize("example", KNOWN)
def test_a_share_of_a_narrower_layer_may_be_all_of_it(network, context, example):
    # 0.96 of 36 weights are 35, but of 9 all.
    steps = [MergeNeurons(0.2), Prune({"0": 0.96}), HashWeights({"0": 2})]
    assert _refuses(_in_turn, network, context, steps[1:])
    with checking_in_order(network, example) as check:
        for step in steps:
            check(step)
    _in_turn(network, context, steps)


def _in_turn(network, context, steps):
    network = copy.deepcopy(network)
    for step in steps:
        network = step.apply(network, context)


# What gave a network its codes, and which steps it can take.
CODED = {
    "pruned": (Prune(0.5), {"hash": False, "cluster kernels": False, "codebook": False}),
    "pruned nearly all": (Prune({"3": 0.1}), {"share small": False, "share": True}),
    "shared": (Share(2), {"codebook": True, "hash": True, "merge": False}),
    "masked": (Prune(1.0), {"hash": True, "codebook": False, "cluster kernels": True}),
}


@pytest.mark.parametrize("of", CODED)
def test_codes_that_a_network_has_already_are_known(network, context, of):
    first, works = CODED[of]
    coded = first.apply(network, context)
    for name, work in works.items():
        with checking_in_order(coded) as check:
            assert _refuses(check, STEPS[name]()) != work, name
        assert _refuses(STEPS[name]().check, coded) != work, name
    with checking_in_order(coded) as check:
        check(Quantize(4))
        assert _refuses(check, QuantizeCodebook())


def test_a_threshold_that_prunes_nothing_is_no_pruning(network, context):
    with torch.no_grad():
        network[3].weight.copy_(network[3].weight.sign())
    for threshold, refused in ((0.5, False), (1.5, True)):
        masking, hashing = Prune(threshold={"3": threshold}), HashWeights({"3": 2})
        with checking_in_order(network) as check:
            check(masking)
            assert _refuses(check, hashing) == refused
        assert _refuses(_in_turn, network, context, [masking, hashing]) == refused


def test_what_a_threshold_prunes_of_a_code_is_left_to_the_steps(network, context):
    steps = [Quantize({"3": 1}), Prune(threshold={"3": 0.9}), HashWeights({"3": 2})]
    with checking_in_order(network) as check:
        for step in steps:
            check(step)
    _in_turn(network, context, steps)


def test_a_step_of_others_may_make_another_network(network):
    class Other:
        version = 1

        def apply(self, network, context):
            return network

    ours = {"a": Share(2), "b": Quantize(4)}
    between = {"a": ours["a"], "none": None, "other": Other(), "b": ours["b"]}
    assert dict(checkable(between)) == {"a": ours["a"]}
    assert dict(checkable({**ours, "none": None})) == ours


def test_the_refused_step_is_named_and_those_behind_it_are_not_judged(network):
    # As wide as it is now layer '3' has rows that blocks of 8 do not divide.
    steps = {"half": PruneNeurons({"2": 0.5, "9": 0.5}), "cut": ProductQuantize({"3": 8}, 1)}
    with pytest.raises(ConfigError, match=r"^at\.half: keep names '9'.* nearest is '2'$"):
        check_in_order(network, steps, KNOWN[1], path="at.")


def signs(network):
    """Weights of one magnitude, but for a neuron that is removed."""
    with torch.no_grad():
        for layer in (network[0], network[2], network[3]):
            layer.weight.copy_(layer.weight.sign())
        network[0].weight[0] *= 0.01
    return network


def a_dead_filter(network):
    network[0].weight.data[3] = 0.0
    return network


@pytest.mark.parametrize(
    ("prepare", "steps"),
    [
        (signs, [PruneNeurons({"0": 3 / 4}), Prune(threshold={"0": 0.5}), HashWeights({"0": 2})]),
        (
            a_dead_filter,
            [PruneNeurons({"0": 0.5}, criterion="random"), Prune({"0": 0.75}), ClusterKernels(1)],
        ),
    ],
    ids=["threshold", "kernels"],
)
def test_values_of_neurons_that_may_go_judge_nothing(network, prepare, steps):
    with checking_in_order(prepare(network), KNOWN[1]) as check:
        for step in steps:
            check(step)


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
    "cluster linear finely": lambda: ClusterLinear(3),
    "cluster kernels": lambda: ClusterKernels(2),
    "entropy": EntropyShare,
    "codebook": QuantizeCodebook,
    "product": lambda: ProductQuantize({"3": 2}, 1),
    "product of some": lambda: ProductQuantize(8, 1, exact=False),
    "product of none": lambda: ProductQuantize({"3": 7}, 1, exact=False),
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
@pytest.mark.parametrize(
    "second", ["share", "quantize", "product of some", "product of none", "merge", "prune"]
)
@pytest.mark.parametrize("first", ["prune", "prune nothing", "prune nearly all", "share", "merge"])
def test_what_a_step_undoes_of_an_earlier_one_is_foreseen(network, context, first, second, third):
    """Levels have no mask, so that what was pruned is pruned no more."""
    _agree(network, context, *(STEPS[each]() for each in (first, second, third)))


def _agree(network, context, *steps):
    """Where no image is known, all that is foreseen comes true, but not all is foreseen."""
    foreseen = []
    for example in KNOWN:
        with checking_in_order(network, example) as check:
            foreseen.append(any(_refuses(check, step) for step in steps))
    refused = any(_refuses(step.apply, network, context) for step in steps)
    assert foreseen[1] == refused
    assert refused or not foreseen[0]


def _refuses(call, *arguments):
    try:
        call(*arguments)
    except ConfigError:
        return True
    return False


@pytest.mark.parametrize("masking", [Prune(threshold=0.0), Prune(keep=1.0), Prune({"0": 0.75})])
def test_kernels_that_are_zero_as_a_whole_may_be_masked_before_clustering(
    network, context, masking
):
    with torch.no_grad():
        network[0].weight[0] = 0.0
    clustering = ClusterKernels(2)
    with checking_in_order(network) as check:
        check(masking)
        check(clustering)
    clustering.apply(masking.apply(network, context), context)
    assert not network[0].weight[0].any()


def test_rows_that_no_narrower_layer_is_read_by_are_final():
    network = MODELS["lenet5"](channels=1)  # Rows of 25 and 500 weights, and of 800 and 500.
    for merged, block, refused in (
        (MergeNeurons(0.5), {"conv1": 4}, True),
        (MergeNeurons({"ip1": 0.5}), {"conv2": 3}, True),
        (MergeNeurons({"conv1": 0.6}), {"conv2": 3}, False),
        (MergeNeurons(1.0), {"conv2": 3}, True),
    ):
        with checking_in_order(network) as check:
            check(merged)
            assert _refuses(check, ProductQuantize(block, 1)) == refused


def test_a_check_by_itself_foresees_nothing(network):
    with checking_in_order(network) as check:
        check(Prune(0.5))
    HashWeights({"3": 8}).check(network)
    Prune(0.5).check(network)
    HashWeights({"3": 8}).check(network)
