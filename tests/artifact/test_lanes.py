"""Lanes: whatever is cut or shared, the streams come back, and every byte is somebody's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from clusterpress.artifact import lane_plan, load, packing, read, save
from clusterpress.codes import dense_copy
from clusterpress.codes.base import Stream

from .networks import NETWORKS, Small, shared
from .test_kernel_sets import Two, clustered


def same(network: nn.Module, into: nn.Module, path: Path, coder: str) -> None:
    ledger = save(network, path, coder=coder)
    before = dense_copy(network).state_dict()
    after = dense_copy(load(path, into=into)).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert read(path).ledger == ledger
    assert ledger.file_bytes == path.stat().st_size
    assert all(row.stored_bytes >= 0 for row in ledger.rows)


@pytest.mark.parametrize("coder", ["small", "fast"])
@pytest.mark.parametrize("lane", [1, 50, 300])
@pytest.mark.parametrize("name", NETWORKS)
def test_bands_and_shared_lanes_come_back(
    name: str, lane: int, coder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_plan, "LANE", lane)
    monkeypatch.setattr(packing, "_MANY_SYMBOLS", 20)
    monkeypatch.setattr(packing, "_MANY_FLOATS", 20)
    same(NETWORKS[name](), Small(), tmp_path / "file", coder)


def test_kernels_come_back_in_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_plan, "LANE", 40)
    same(clustered(transforms=True), Two(), tmp_path / "file", "small")


@pytest.mark.parametrize("k", [2, 3, 17, 4096, 5000, 70_000])
def test_alphabets_of_every_width_come_back(k: int, tmp_path: Path) -> None:
    network, into = nn.Linear(60, 40), nn.Linear(60, 40)
    shared(network, k)
    same(network, into, tmp_path / "file", "small")


def test_uneven_masks_and_neighbours_take_fewer_bytes_than_their_entropy() -> None:
    rng = np.random.default_rng(0)
    shares = np.outer(np.linspace(0.2, 1.8, 200), np.linspace(0.2, 1.8, 300)) * 0.1
    mask = (rng.random(shares.shape) < shares).astype(np.uint8)
    network = nn.Linear(300, 200, bias=False)
    network.weight.data *= torch.from_numpy(mask)
    stream = Stream("position", mask, 2)
    entry = packing._item(stream, "small")
    assert entry.entry.coder == "mixed"
    ones = mask.mean()
    entropy = -mask.size * (ones * np.log2(ones) + (1 - ones) * np.log2(1 - ones)) / 8
    tensor = packing.TensorContent("weight", "fc", "masked", mask.shape, (stream,))
    (size,) = packing.packed([tensor], "small").sizes["weight"]
    assert size < 0.96 * entropy


def test_an_unknown_coder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="'tiny' is not one of small, fast"):
        save(Small(), tmp_path / "file", coder="tiny")
