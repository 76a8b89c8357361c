"""Where torch has another OpenMP, or none, own threads give what its threads give."""

import numpy as np
import pytest
import torch

from clusterpress.inference import (
    Order,
    SharedKernelConv2d,
    SharedKernels,
    convolving,
    crew,
    stages,
)


@pytest.mark.parametrize("order", [Order.ADD_FIRST, Order.CONVOLVE_FIRST])
def test_without_openmp_own_threads_give_the_same(order, monkeypatch):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (24, 32))
    shared = SharedKernels(rng.standard_normal((5, 3, 3)), labels)
    x = torch.from_numpy(rng.standard_normal((2, 32, 8, 8)).astype(np.float32))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        expected = SharedKernelConv2d(shared, padding=(1, 1), order=order).eval()(x)
        used = []
        own = crew.on_threads
        monkeypatch.setattr(crew, "on_threads", lambda *given: used.append(given[1]) or own(*given))
        for module in (crew, convolving, stages):
            monkeypatch.setattr(module, "openmp", lambda: None)
        _forget()
        layer = SharedKernelConv2d(shared, padding=(1, 1), order=order).eval()
        assert torch.equal(layer(x), expected)
        assert used
        assert set(used) == {2}
    finally:
        torch.set_num_threads(before)
        _forget()


def _forget():
    convolving.compiled.cache_clear()
    stages._compiled.cache_clear()
