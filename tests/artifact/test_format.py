"""docs/format.md says enough to read a file: a second reader, made from it, agrees."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from clusterpress.artifact import read, save, state
from clusterpress.artifact.binary import SQUASH, STRETCH
from clusterpress.artifact.content import contents
from clusterpress.codes import CODES, Kernels, KernelSet, attach

from .golden import GOLDEN_2, GOLDEN_2_FAST, golden_network
from .networks import NETWORKS
from .reader import read_file
from .weights import MADE, weight


def agrees(network, data: bytes) -> None:
    found = read_file(data)
    for tensor in contents(network):
        parts = found[tensor.name]
        assert set(parts) == {stream.part for stream in tensor.streams}
        for stream in tensor.streams:
            values = np.array(parts[stream.part], dtype=stream.values.dtype)
            assert np.array_equal(values, stream.values.ravel())


@pytest.mark.parametrize("golden", [GOLDEN_2, GOLDEN_2_FAST])
def test_another_reader_reads_the_golden_files(golden: Path) -> None:
    agrees(golden_network(), golden.read_bytes())


@pytest.mark.parametrize("name", NETWORKS)
def test_another_reader_reads_every_code(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]()
    save(network, tmp_path / "file")
    agrees(network, (tmp_path / "file").read_bytes())


def turned_network() -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    network, shape = nn.Sequential(nn.Conv2d(4, 6, 3)), (6, 4, 3, 3)
    kernel_set = KernelSet(torch.randn(5, 9, generator=generator), torch.float32)
    labels, turns = torch.arange(24) % 5, torch.arange(24) % 8
    scales = torch.randn(6, 4, generator=generator)
    scales[1, 2] = 0
    code = Kernels(labels, kernel_set, shape, transforms=turns, mask=scales != 0)
    attach(network[0], "weight", code, scales)
    return network


WEIGHTS = {**NETWORKS, "kernels": turned_network}


def test_the_page_says_what_the_parts_of_every_code_mean(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/format.md").read_text().partition("## Weights")[2]
    seen = set()
    for name, network in WEIGHTS.items():
        save(network(), tmp_path / name)
        dense = state(tmp_path / name)
        found = read_file((tmp_path / name).read_bytes())
        for tensor, entry in read(tmp_path / name).directory.items():
            if entry.kind in CODES:
                made = weight(entry.kind, list(entry.shape), found[tensor])
                assert np.array_equal(made, dense[tensor].numpy()), (name, tensor)
                assert f"| `{entry.kind}` |" in page
                seen.add(entry.kind)
    assert seen == set(CODES) == set(MADE)


def test_another_reader_reads_bfloat16(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(30, 20)).bfloat16()
    save(network, tmp_path / "file")
    agrees(network, (tmp_path / "file").read_bytes())


def test_the_tables_do_not_hang_on_the_last_digits_of_exp_and_log() -> None:
    squash = [65536 / (1 + math.exp(-t / 256)) for t in range(-2048, 2048)]
    stretch = [256 * math.log((i + 0.5) / (4095.5 - i)) for i in range(4096)]
    for exact, table, least, most in ((squash, SQUASH, 16, 65520), (stretch, STRETCH, -2047, 2047)):
        assert min(abs(value % 1 - 0.5) for value in exact if value % 1) > 1e-6
        assert [min(max(round(value), least), most) for value in exact] == table.tolist()
