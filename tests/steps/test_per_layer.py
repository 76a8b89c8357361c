"""Settings by layer: names as people write them, and never a setting for nothing."""

import pytest
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.steps import HashWeights, ProductQuantize, Prune, Quantize, Share, SoftShare
from clusterpress.steps.per_layer import require_number, settings_by_layer
from clusterpress.training.recipe import Recipe

STEPS = {
    "Prune.keep": lambda by: Prune(keep=dict.fromkeys(by, 0.5)),
    "Prune.threshold": lambda by: Prune(threshold=dict.fromkeys(by, 0.5)),
    "Share.bits": lambda by: Share(bits=dict.fromkeys(by, 1)),
    "Quantize.bits": lambda by: Quantize(bits=dict.fromkeys(by, 4)),
    "HashWeights.compression": lambda by: HashWeights(dict.fromkeys(by, 8)),
    "ProductQuantize.block": lambda by: ProductQuantize(dict.fromkeys(by, 1)),
    "SoftShare.bits": lambda by: SoftShare(Recipe(), bits=dict.fromkeys(by, 1)),
}


def linears() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))


@pytest.mark.parametrize("knob", STEPS)
@pytest.mark.parametrize("keys", [["conv"], ["conv3x3", "conv9x9"], []])
def test_a_setting_that_matches_no_layer_is_refused(knob, keys):
    with pytest.raises(ConfigError, match=rf"{knob} .*layers are 1 \(fc\), 3 \(fc\)") as refusal:
        STEPS[knob](keys).check(linears())
    assert all(key in str(refusal.value) for key in keys)


@pytest.mark.parametrize("knob", STEPS)
def test_a_type_that_the_network_lacks_may_stand_beside_one_that_it_has(knob):
    STEPS[knob](["conv", "conv9x9", "fc"]).check(linears())
    assert settings_by_layer({"conv": 1, "fc": 2, "3": 3}, linears(), "x") == {"1": 2, "3": 3}


@pytest.mark.parametrize("knob", STEPS)
def test_layers_may_be_named_by_whole_numbers(knob, network, context):
    step = STEPS[knob]([0, 3])
    step.check(network)
    step.apply(network, context)
    (by_layer,) = [fact for fact in context.facts.values() if isinstance(fact, dict)][-1:]
    assert set(by_layer) == {"0", "3"}


@pytest.mark.parametrize("knob", STEPS)
@pytest.mark.parametrize("key", [7, 1.1, True, None])
def test_other_keys_are_refused_as_they_were_written(knob, key):
    with pytest.raises(ConfigError, match=rf"{knob} names .*'?{key}"):
        STEPS[knob]([key]).check(linears())


@pytest.mark.parametrize("knob", STEPS)
def test_a_layer_named_as_a_number_and_as_text_is_refused(knob):
    with pytest.raises(ConfigError, match=f"{knob} names '1' twice, as a number and as text"):
        STEPS[knob]([1, "1"]).check(linears())


def test_null_leaves_a_layer_alone_that_its_type_covers():
    assert settings_by_layer({1: None, "fc": 2}, linears(), "x") == {"3": 2}


@pytest.mark.parametrize("value", ["abc", "0.5", None, True, [0.5], {"a": 0.5}, 1j])
def test_what_is_no_number_is_refused_with_its_knob(value):
    with pytest.raises(ConfigError, match=r"Step: knob=.* is not a number in \(0, 1\)"):
        require_number(value, lambda share: 0 < share < 1, "(0, 1)", "Step: knob")


@pytest.mark.parametrize("value", [0, 1, -1.0, float("nan"), float("inf")])
def test_a_number_out_of_its_interval_is_refused_with_its_knob(value):
    with pytest.raises(ConfigError, match=r"Step: knob=.* is outside \(0, 1\)"):
        require_number(value, lambda share: 0 < share < 1, "(0, 1)", "Step: knob")
