"""A merged network of any wiring is written, and read into the network that it came from."""

import copy
from pathlib import Path

import pytest
import torch
import torchvision

from clusterpress.artifact import load, save
from clusterpress.steps import Context, MergeNeurons
from tests.merging.networks import NETWORKS


@pytest.mark.parametrize("name", [*NETWORKS, "resnet18"])
def test_a_merged_network_comes_back_in_its_sizes(name: str, tmp_path: Path) -> None:
    size = 32 if name == "resnet18" else 12
    make = NETWORKS.get(name) or torchvision.models.resnet18
    network, images = make().eval(), torch.randn(2, 3, size, size)
    whole = copy.deepcopy(network)
    context = Context(train=lambda network, recipe: None, example=images[:1], clustering=0)
    merged = MergeNeurons(0.4, "random", skips="joined").apply(network, context)
    save(merged, tmp_path / "file")
    loaded = load(tmp_path / "file", into=whole)
    assert loaded is whole
    assert torch.equal(loaded(images), merged(images))
    assert str(loaded) == str(merged)
