"""Hashed weights: as many values as asked, least squares at the start, no index in the file."""

import copy

import pytest
import torch

from clusterpress import artifact
from clusterpress.codes import kind_of, original_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import HashWeights


@pytest.mark.parametrize("compression", [1, 8, 64])
def test_magnitudes_are_as_few_as_asked(network, context, compression):
    HashWeights({"2": compression}).apply(network, context)
    size = -(-12 * 144 // compression)
    assert context.facts["values"] == {"2": size}
    assert original_of(network[2]).shape == (size,)
    assert network[2].weight.abs().unique().numel() <= size
    assert kind_of(network[0]) == "dense"


def test_the_start_is_the_nearest_there_is(network, context):
    before = network[2].weight.detach().clone()
    HashWeights({"2": 8}).apply(network, context)
    error = (network[2].weight - before).square().sum()
    gradient = torch.autograd.grad(error, original_of(network[2]))[0]
    assert gradient.abs().max() < 1e-5


def test_layers_have_hashes_of_their_own_that_the_seed_decides(network, context):
    def signs(seed):
        context.clustering = seed
        hashed = HashWeights({"fc": 8}).apply(copy.deepcopy(network), context)
        return [hashed[place].parametrizations.weight[0].signs.flatten() for place in (2, 3)]

    first, again, other = signs(0), signs(0), signs(1)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0][:36], first[1])


def test_the_file_holds_no_index(network, context, tmp_path):
    dense = artifact.save(copy.deepcopy(network), tmp_path / "dense")
    HashWeights({"2": 8}).apply(network, context)
    ledger = artifact.save(network, tmp_path / "hashed")
    assert not any(row.part == "index" for row in ledger.rows)
    before, after = (sum(row.fixed_bits for row in one.rows) for one in (dense, ledger))
    assert before - after == pytest.approx(12 * 144 * 32 * 7 / 8, abs=32 + 16)
    assert ledger.file_bytes < dense.file_bytes


@pytest.mark.parametrize("compression", [0, 1.5, {"fc": -1}])
def test_knobs_outside_their_range_are_refused(compression):
    with pytest.raises(ConfigError, match="compression"):
        HashWeights(compression)


def test_nan_weights_name_the_layer(network, context):
    with torch.no_grad():
        network[3].weight[0, 0] = float("nan")
    with pytest.raises(DataError, match="layer '3'"):
        HashWeights(8).apply(network, context)
