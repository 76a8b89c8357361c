"""Codebooks in float16: what trains and what is stored are the same values."""

import pytest
import torch

from clusterpress.errors import ConfigError
from clusterpress.steps import QuantizeCodebook, Share


def test_a_rounded_codebook_holds_float16_values(network, context):
    Share(bits=2).apply(network, context)
    QuantizeCodebook().apply(network, context)
    weight = network[2].weight.detach()
    assert torch.equal(weight, weight.half().float())
    assert 0 < context.facts["largest_rounding"] < 1e-3


def test_rounding_needs_a_codebook(network, context):
    with pytest.raises(ConfigError, match="no layer shares weights"):
        QuantizeCodebook().apply(network, context)


def test_a_centroid_beyond_float16_names_the_layer(network, context):
    with torch.no_grad():
        network[2].weight[0, 0] = 1e6
    Share(bits=2).apply(network, context)
    with pytest.raises(ConfigError, match="layer '2'"):
        QuantizeCodebook().apply(network, context)


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ConfigError, match="'int8' is not one of float32, float16"):
        QuantizeCodebook(dtype="int8")
