"""Codes do on a GPU what they do on the processor."""

import pytest
import torch

from clusterpress.codes.expand import expand
from clusterpress.codes.shared import Shared, sum_by_label

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ("cpu", "cuda")


def assert_equal(on_cpu, on_cuda):
    assert torch.allclose(on_cpu, on_cuda.cpu(), rtol=1e-5, atol=1e-6)


def test_sums_by_label():
    torch.manual_seed(0)
    values, labels = torch.randn(1000), torch.randint(0, 7, (1000,))
    assert_equal(*(sum_by_label(values.to(d), labels.to(d), 7) for d in DEVICES))


def test_scaled_rows_and_their_gradients():
    torch.manual_seed(0)
    table, scales, seen = torch.randn(5, 9), torch.randn(300), torch.randn(300, 9)
    labels = torch.randint(0, 5, (300,))
    found = []
    for device in DEVICES:
        known = [each.clone().to(device).requires_grad_() for each in (table, scales)]
        rows = expand(*known, labels.to(device))
        (rows * seen.to(device)).sum().backward()
        found.append([rows.detach(), *(each.grad for each in known)])
    for on_cpu, on_cuda in zip(*found, strict=True):
        assert_equal(on_cpu, on_cuda)


@pytest.mark.parametrize("pruned", [False, True])
def test_shared_weights_and_the_gradient_of_their_codebook(pruned):
    torch.manual_seed(0)
    mask = torch.rand(20, 30) < 0.5 if pruned else None
    labels = torch.randint(0, 8, (int(mask.sum()) if pruned else 600,))
    codebook, seen, found = torch.randn(8), torch.randn(20, 30), []
    for device in DEVICES:
        code = Shared(labels, (20, 30), mask).to(device)
        known = codebook.clone().to(device).requires_grad_()
        weight = code(known)
        (weight * seen.to(device)).sum().backward()
        found.append((weight.detach(), known.grad))
    for on_cpu, on_cuda in zip(*found, strict=True):
        assert_equal(on_cpu, on_cuda)
