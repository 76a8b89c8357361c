"""One budget over layers: kept, and nothing within it errs less."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering import optimal_curve
from clusterpress.steps.allocation import allocate, layer_bits


def layers_of(seed, sizes, k_max=8):
    rng = np.random.default_rng(seed)
    values = {
        str(i): rng.standard_normal(n) * 10.0 ** rng.uniform(-2, 1) for i, n in enumerate(sizes)
    }
    curves = {name: optimal_curve(each, k_max) for name, each in values.items()}
    return curves, {name: layer_bits(each.size, k_max) for name, each in values.items()}


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 99), st.lists(st.integers(8, 300), min_size=1, max_size=3), st.floats(0.1, 9))
def test_nothing_on_the_hull_errs_less_within_the_budget(seed, sizes, mean_bits):
    curves, bits = layers_of(seed, sizes)
    budget = mean_bits * sum(sizes)
    chosen = allocate(curves, bits, budget)
    error = sum(curves[name][k - 1] for name, k in chosen.items())
    used = sum(bits[name][k - 1] for name, k in chosen.items())
    if any(k > 1 for k in chosen.values()):
        assert used <= budget
    for other in product(range(8), repeat=len(sizes)):
        spent = sum(bits[name][place] for name, place in zip(curves, other, strict=True))
        left = sum(curves[name][place] for name, place in zip(curves, other, strict=True))
        assert spent >= used - 1e-6 or left >= error - 1e-9 * error


def test_a_large_budget_buys_the_largest_k_and_none_the_smallest():
    curves, bits = layers_of(0, [50, 60])
    assert set(allocate(curves, bits, 1e9).values()) == {8}
    assert set(allocate(curves, bits, 0.0).values()) == {1}


def test_bits_count_labels_and_codebook():
    assert layer_bits(100, 4).tolist() == pytest.approx([32, 164, 100 * np.log2(3) + 96, 328])


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1.0, 1e12])
def test_the_scale_of_weights_does_not_matter(scale):
    curves, bits = layers_of(0, [50, 60])
    scaled = {name: scale * curve for name, curve in curves.items()}
    assert allocate(scaled, bits, 300.0) == allocate(curves, bits, 300.0)
