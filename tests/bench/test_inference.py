"""The inference benchmark measures every form, and its page is made of its file alone."""

from pathlib import Path

import pytest
import torch

from clusterpress.artifact import save
from clusterpress.bench import inference
from clusterpress.bench.inference_networks import read_networks
from clusterpress.bench.inference_page import page
from clusterpress.bench.inference_rows import read_layers
from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.models.shared_macs import shared_macs
from clusterpress.steps import ClusterKernels, Context


def test_a_quick_run_measures_every_form_and_writes_the_page(tmp_path):
    path = tmp_path / "inference.csv"
    inference.main(quick=True, output=path)
    rows = read_layers(path)
    assert len({row.method for row in rows}) == len(rows) == 4
    assert all(row.seconds > 0 and row.macs > 0 for row in rows)
    (network,) = read_networks(tmp_path / "inference_networks.csv")
    assert 0 < network.shared_macs < network.macs
    assert network.seconds > 0
    assert path.with_suffix(".md").read_text() == page(rows, [network])


def test_a_file_of_shared_kernels_is_timed_beside_the_other_rows(tmp_path):
    path, file = tmp_path / "inference.csv", tmp_path / "small.safetensors"
    inference.main(quick=True, output=path)
    network = MODELS["resnet20"]().eval()
    x = torch.randn(1, 3, 32, 32)
    context = Context(train=lambda network, recipe: None, example=x, clustering=0)
    ClusterKernels(8, transforms=4, max_iterations=2).apply(network, context)
    save(network, file, architecture={"name": "resnet20", "args": {}})
    for _ in range(2):
        inference.main(quick=True, output=path, file=[file])
    inference.main(quick=True, output=path)
    rows = read_networks(tmp_path / "inference_networks.csv")
    assert [row.kernels for row in rows] == ["C4", "C8-TIC4, trained"]
    assert rows[1].shared_macs == shared_macs(network, x)
    assert len(read_layers(path)) == 4


def test_a_file_without_shared_kernels_is_refused(tmp_path):
    file = tmp_path / "dense.safetensors"
    save(MODELS["resnet20"](), file, architecture={"name": "resnet20", "args": {}})
    with pytest.raises(ConfigError, match="0 sets of shared kernels"):
        inference.main(quick=True, file=[file])


def test_the_bound_is_the_issues():
    rows = inference.layer_rows((8, 16, 4), (4, 1), 1, 1)
    assert rows[0].bound == 9 / (1 + 9 * 4 / 16)


def test_the_committed_page_is_not_stale():
    path = Path(__file__).parents[2] / inference.OUTPUT
    if not path.is_file():
        pytest.skip("no inference benchmark is recorded yet")
    assert path.with_suffix(".md").read_text() == page(
        read_layers(path), read_networks(path.with_name("inference_networks.csv"))
    )
