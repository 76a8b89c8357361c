"""The inference benchmark measures every form, and its page is made of its file alone."""

from pathlib import Path

import pytest

from clusterpress.bench import inference
from clusterpress.bench.inference_networks import read_networks
from clusterpress.bench.inference_page import page
from clusterpress.bench.inference_rows import read_layers


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
