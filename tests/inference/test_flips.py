"""Kernels that are flips of each other are found, and share the multiplications of one."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from clusterpress.clustering import transform
from clusterpress.inference import Order, SharedKernelConv2d, SharedKernels
from clusterpress.inference.blocks import blocks
from clusterpress.inference.flips import even_and_odd_taps, families, flipped, parts


def kernels_of_tic(transforms, count=3, seed=0):
    """Give base kernels of unit norm with all their transforms, some negated."""
    rng = np.random.default_rng(seed)
    base = rng.standard_normal((count, 3, 3))
    base /= np.linalg.norm(base, axis=(1, 2), keepdims=True)
    turned = transform(np.repeat(base, transforms, axis=0), np.tile(np.arange(transforms), count))
    signs = rng.choice([-1.0, 1.0], len(turned))
    return np.asarray(turned * signs[:, None, None], np.float32)


@pytest.mark.parametrize("transforms", [1, 2, 4, 8])
def test_a_family_holds_the_flips_of_one_kernel_whatever_their_signs(transforms):
    kernels = kernels_of_tic(transforms)
    found = families(kernels)
    assert len(found.first) == 3 * max(1, transforms // 4)
    turned = flipped(kernels[found.first])[found.family, found.flip]
    assert np.allclose(turned * found.sign[:, None, None], kernels, atol=1e-6)


def test_a_kernel_that_is_nearly_a_flip_stays_alone():
    kernels = kernels_of_tic(1, 1)
    near = kernels[:, :, ::-1] + np.float32(1e-5)
    found = families(np.concatenate([kernels, near]))
    turned = flipped(np.concatenate([kernels, near])[found.first])[found.family, found.flip]
    rebuilt = turned * found.sign[:, None, None]
    assert np.allclose(rebuilt, np.concatenate([kernels, near]), atol=2e-6)


def test_the_parts_give_the_kernels_products():
    kernels = kernels_of_tic(1)
    patch = np.random.default_rng(1).standard_normal(9)
    ours = even_and_odd_taps(kernels) @ (parts() @ patch)
    assert np.allclose(ours, kernels.reshape(-1, 9) @ patch, atol=1e-5)


@pytest.mark.parametrize("transforms", [2, 4, 8])
@pytest.mark.parametrize("side", [2, 8])
def test_flips_give_what_the_dense_layer_gives_with_fewer_multiplications(transforms, side):
    rng = np.random.default_rng(2)
    kernels = kernels_of_tic(transforms)
    labels = rng.integers(0, len(kernels), (20, 9))
    scales = rng.standard_normal(labels.shape).astype(np.float32)
    scales[rng.random(labels.shape) < 0.1] = 0
    x = torch.from_numpy(rng.standard_normal((2, 9, side, side)).astype(np.float32))
    shared = SharedKernels(kernels, labels, scales)
    layer = SharedKernelConv2d(shared, padding=(1, 1), order=Order.CONVOLVE_FIRST).eval()
    weight = torch.from_numpy(kernels[labels] * scales[:, :, None, None])
    reference = functional.conv2d(x, weight, padding=1)
    assert float((layer(x) - reference).abs().max()) <= 1e-5 * float(reference.abs().max())
    tables = blocks(kernels, labels, scales, 4 * side**2)
    assert tables.inputs[:, 0].sum() > 0
    assert 9 * tables.inputs[:, 0].sum() < layer.multiplications(Order.CONVOLVE_FIRST)


def test_many_blocks_add_up():
    rng = np.random.default_rng(3)
    kernels = rng.standard_normal((40, 3, 3)).astype(np.float32)
    labels = rng.integers(0, 40, (33, 50))
    x = torch.from_numpy(rng.standard_normal((2, 50, 8, 16)).astype(np.float32))
    shared = SharedKernels(kernels, labels)
    layer = SharedKernelConv2d(shared, padding=(1, 1), order=Order.CONVOLVE_FIRST).eval()
    reference = functional.conv2d(x, torch.from_numpy(kernels[labels]), padding=1)
    assert float((layer(x) - reference).abs().max()) <= 1e-5 * float(reference.abs().max())
    assert len(blocks(kernels, labels, np.ones((33, 50), np.float32), 256).bounds) > 2
