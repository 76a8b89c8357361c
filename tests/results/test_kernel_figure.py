"""The picture of shared kernels: every kernel once, most used first."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from clusterpress.artifact import read_kernels, save
from clusterpress.codes import Kernels, KernelSet, attach
from clusterpress.errors import ConfigError
from clusterpress.results.kernel_figure import KernelGrid, draw_kernels, kernel_picture, mosaic


@pytest.fixture
def file(tmp_path: Path) -> Path:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3))
    centroids = KernelSet(torch.arange(18.0).reshape(2, 9))
    for layer, labels in zip(network, ([[1], [1]], [[1, 0], [0, 1]]), strict=True):
        code = Kernels(torch.tensor(labels), centroids, tuple(layer.weight.shape))
        attach(layer, "weight", code, torch.ones(len(labels), len(labels[0])))
    save(network, tmp_path / "file")
    return tmp_path / "file"


def test_uses_are_those_of_all_layers_of_a_set(file: Path) -> None:
    (book,) = read_kernels(file)
    assert book.uses.tolist() == [2, 4]
    assert book.layers == ("0", "1")
    assert np.array_equal(book.centroids, np.arange(18.0).reshape(2, 3, 3))


def test_a_mosaic_holds_every_kernel_once() -> None:
    kernels = np.random.default_rng(0).normal(size=(19, 3, 5)).astype(np.float32)
    picture, places = mosaic(kernels)
    found = np.stack([picture[top : top + 3, left : left + 5] for top, left in places])
    assert np.array_equal(found, kernels)
    assert np.isfinite(picture).sum() == kernels.size


@pytest.mark.parametrize("count", [1, 20])
def test_equal_kernels_give_equal_files(count: int) -> None:
    rng = np.random.default_rng(0)
    grid = KernelGrid("a set", rng.normal(size=(count, 3, 3)).astype("f4"), np.arange(count))
    assert kernel_picture([grid], "svg") == kernel_picture([grid], "svg")


def test_a_file_is_drawn(file: Path, tmp_path: Path) -> None:
    draw_kernels(file, tmp_path / "kernels.png")
    assert (tmp_path / "kernels.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_said(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in one of \.png"):
        draw_kernels(file, tmp_path / "kernels.txt")
    save(nn.Linear(2, 2), tmp_path / "plain")
    with pytest.raises(ConfigError, match="no convolutions that share kernels"):
        draw_kernels(tmp_path / "plain", tmp_path / "kernels.png")
