"""Kept shares become widths; shares outside (0, 1] and unknown layers are refused."""

import pytest
from omegaconf import OmegaConf

from clusterpress.errors import ConfigError
from clusterpress.merging import HiddenLayer, checked_keep, target_widths

LAYERS = [HiddenLayer("conv1", 20, ()), HiddenLayer("ip1", 500, ())]


def test_one_share_for_all_or_one_by_layer():
    assert target_widths(0.25, LAYERS) == {"conv1": 5, "ip1": 125}
    assert target_widths({"ip1": 0.5}, LAYERS) == {"conv1": 20, "ip1": 250}
    assert target_widths(0.001, LAYERS) == {"conv1": 1, "ip1": 1}
    assert target_widths(1, LAYERS) == {"conv1": 20, "ip1": 500}


def test_a_mapping_from_a_config_is_taken():
    assert checked_keep(OmegaConf.create({"ip1": 0.5, "conv1": 1})) == {"ip1": 0.5, "conv1": 1.0}


@pytest.mark.parametrize("keep", [0, -0.5, 1.01, float("nan"), "half", None, True])
def test_shares_outside_the_range_are_refused(keep):
    with pytest.raises(ConfigError, match="above 0 and at most 1"):
        checked_keep(keep)
    with pytest.raises(ConfigError, match=r"layer 'ip1'.*above 0"):
        checked_keep({"ip1": keep})


def test_an_unknown_layer_is_refused_with_the_nearest_one():
    with pytest.raises(ConfigError, match=r"'ip_1'.*nearest is 'ip1'"):
        target_widths({"ip_1": 0.5}, LAYERS)


def test_names_may_be_whole_numbers_and_no_others():
    assert checked_keep({0: 0.5, "1.1": 0.5}) == {"0": 0.5, "1.1": 0.5}
    for name in (1.1, True, None):
        with pytest.raises(ConfigError, match="neither text nor a whole number"):
            checked_keep({name: 0.5})
    with pytest.raises(ConfigError, match="keep names '0' twice, as a number and as text"):
        checked_keep({0: 0.5, "0": 0.3})
