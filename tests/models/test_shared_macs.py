"""Multiply-accumulates of shared kernels, counted by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from clusterpress.codes import Kernels, KernelSet, attach
from clusterpress.models.accounting import macs
from clusterpress.models.shared_macs import convolutions, distinct_kernels, shared_macs


@pytest.mark.parametrize(
    ("pairs", "count"),
    [
        ([[0, 1, 2], [0, 1, 2]], 3),  # Every input meets one kernel.
        ([[0, 0, 0], [1, 1, 1]], 2),  # Every output takes one kernel.
        ([[0, 0], [0, 1], [1, 1]], 4),  # Rows 1 + 2 + 1, columns 2 + 2.
        ([[-1, -1], [-1, 3]], 1),
        ([[-1, -1]], 0),
        ([[0]], 1),
    ],
)
def test_the_cheaper_order_counts(pairs, count) -> None:
    assert convolutions(np.array(pairs)) == count


def test_groups_share_no_inputs() -> None:
    pairs = np.array([[0], [0], [1], [1]])
    assert convolutions(pairs, groups=4) == 4
    assert convolutions(pairs, groups=2) == 2


def test_a_network_counts_outputs_and_keeps_other_layers() -> None:
    network = nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.Conv2d(4, 3, 1))
    example = torch.zeros(1, 2, 8, 8)
    dense = macs(network, example)
    assert shared_macs(network, example) == dense == 4 * 2 * 9 * 16 + 4 * 3 * 16
    labels, transforms = torch.tensor([[0, 1]] * 4), torch.tensor([[0, 0], [1, 0], [0, 0], [1, 0]])
    mask = torch.tensor([[True, True]] * 3 + [[True, False]])
    kernels = KernelSet(torch.randn(2, 9))
    code = Kernels(labels, kernels, (4, 2, 3, 3), transforms=transforms, mask=mask)
    attach(network[0], "weight", code, torch.ones(4, 2))
    # Input 0 meets the pairs (0, 0) and (0, 1), input 1 only (1, 0).
    assert distinct_kernels(network) == {"0": 3}
    assert shared_macs(network, example) == 3 * 9 * 16 + 4 * 3 * 16
    assert macs(network, example) == dense
