"""docs/format.md says enough to read a file: a second reader, made from it, agrees."""

import math
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from clusterpress.artifact import save
from clusterpress.artifact.binary import SQUASH, STRETCH
from clusterpress.artifact.content import contents

from .golden import GOLDEN_2, GOLDEN_2_FAST, golden_network
from .networks import NETWORKS
from .reader import read_file


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
