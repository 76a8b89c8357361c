"""Kernels that share centroids: what they are, how they learn, what is stored."""

import copy

import pytest
import torch
from torch import nn

from clusterpress.clustering import threads, transform
from clusterpress.codes import Kernels, KernelSet, attach, code_of, original_of

SHAPE = (6, 5, 3, 3)


def drawn(seed=0, k=4, shape=SHAPE, **options):
    generator = torch.Generator().manual_seed(seed)
    kernels = KernelSet(torch.randn(k, shape[2] * shape[3], generator=generator))
    labels = torch.randint(k, shape[:2], generator=generator)
    scales = torch.randn(shape[:2], generator=generator)
    return Kernels(labels, kernels, shape, **options), scales


def turned(seed=0):
    numbers = torch.randint(8, SHAPE[:2], generator=torch.Generator().manual_seed(seed))
    return drawn(seed, transforms=numbers)


def naive(code, scales):
    """The dense weight by plain indexing, differentiable."""
    rows = code.centroids[code.labels].reshape(-1, *code.shape[2:])
    if code.transforms is not None:
        taps = torch.arange(code.shape[2] * code.shape[3]).reshape(1, *code.shape[2:])
        taps = taps.expand(len(rows), -1, -1).numpy()
        turns = torch.from_numpy(transform(taps, code.transforms.flatten().numpy()))
        rows = rows.flatten(1).gather(1, turns.flatten(1)).reshape(rows.shape)
    rounded = scales + (scales.half().float() - scales).detach()
    if code.mask is not None:
        rounded = rounded * code.mask
    return rows.reshape(code.shape) * rounded[..., None, None]


@pytest.mark.parametrize("make", [drawn, turned])
def test_weight_and_gradients_are_those_of_plain_indexing(make):
    code, scales = make()
    own, other = scales.clone().requires_grad_(), scales.clone().requires_grad_()
    upstream = torch.randn(SHAPE, generator=torch.Generator().manual_seed(9))
    code(own).backward(upstream)
    found, code.centroids.grad = code.centroids.grad, None
    expected = naive(code, other)
    expected.backward(upstream)
    torch.testing.assert_close(code(own), expected)
    torch.testing.assert_close(own.grad, other.grad)
    torch.testing.assert_close(found, code.centroids.grad)


@pytest.mark.parametrize("make", [drawn, turned])
def test_a_state_that_is_loaded_is_computed_with(make):
    (code, scales), (other, _) = make(0), make(1)
    assert not torch.equal(other(scales), code(scales))
    other.load_state_dict(code.state_dict())
    assert torch.equal(other(scales), code(scales))


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    shape = (400, 300, 3, 3)
    results = []
    for number in (1, 3):
        monkeypatch.setattr(threads, "available", lambda number=number: number)
        code, scales = drawn(1, 16, shape)
        scales.requires_grad_()
        code(scales).square().sum().backward()
        results.append((code(scales), scales.grad, code.centroids.grad))
    assert all(map(torch.equal, *results))


def test_scales_are_computed_with_as_they_are_stored():
    code, scales = drawn()
    code(scales.requires_grad_()).sum().backward()
    kept = {stream.part: stream.values for stream in code.streams(scales)}["scale"]
    again, original = Kernels.from_streams(
        SHAPE, {stream.part: stream.values for stream in code.streams(scales)}
    )
    assert kept.dtype == "f2"
    assert torch.equal(again(original), code(scales))
    assert scales.grad is not None


def test_pruned_kernels_stay_zero_and_learn_nothing():
    mask = torch.ones(SHAPE[:2], dtype=torch.bool)
    mask[1, 2] = mask[3] = False
    code, scales = drawn(mask=mask)
    scales.requires_grad_()
    code(scales).sum().backward()
    assert not code(scales)[~mask].any()
    assert not scales.grad[~mask].any()
    parts = {stream.part: stream.values for stream in code.streams(scales)}
    again, original = Kernels.from_streams(SHAPE, parts)
    assert torch.equal(again.mask, mask)
    assert torch.equal(again(original), code(scales))


def test_without_scales_only_the_centroids_learn():
    code, _ = drawn(scaled=False)
    empty = torch.empty(0, requires_grad=True)
    weight = code(empty)
    weight.sum().backward()
    assert torch.equal(weight, code.centroids[code.labels].reshape(SHAPE))
    assert code.centroids.grad is not None
    assert [stream.part for stream in code.streams(empty)] == ["index", "codebook"]


def test_layers_of_a_set_are_one_parameter_also_in_copies():
    shared = KernelSet(torch.randn(4, 9))
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 3))
    for layer in network:
        shape = tuple(layer.weight.shape)
        attach(
            layer, "weight", Kernels(torch.zeros(shape[:2]), shared, shape), torch.ones(shape[:2])
        )
    for each in (network, copy.deepcopy(network)):
        assert code_of(each[0]).centroids is code_of(each[1]).centroids
        assert len(list(each.parameters())) == 5
        sum(layer.weight.sum() for layer in each).backward()
        assert torch.equal(code_of(each[0]).centroids.grad[0], torch.full((9,), 12.0))
    assert code_of(copy.deepcopy(network)[0]).centroids is not shared.centroids


def test_the_nearest_scales():
    code, scales = turned()
    weight = code(scales).detach()
    torch.testing.assert_close(code.right_inverse(weight), scales.half().float(), rtol=1e-5, atol=0)


def test_a_centroid_in_half_precision_is_rounded_forward_alone():
    shared = KernelSet(torch.full((1, 9), 1 + 2**-12), torch.float16)
    code = Kernels(torch.zeros(2, 2), shared, (2, 2, 3, 3))
    weight = code(torch.ones(2, 2))
    weight.sum().backward()
    assert torch.equal(weight, torch.ones(2, 2, 3, 3))
    assert torch.equal(shared.centroids.grad, torch.full((1, 9), 4.0))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": torch.zeros(7)}, "7 labels for 30 kernels"),
        ({"labels": torch.full((30,), 4)}, "labels up to 4 for 4 centroids"),
        ({"shape": (6, 5, 3)}, "for a weight of shape"),
        ({"shape": (6, 5, 5, 5)}, "for a weight of shape"),
        ({"shape": (6, 5, 1, 9), "transforms": torch.zeros(30)}, "kernels of 1x9 taps"),
        ({"transforms": torch.zeros(3)}, "3 transforms for 30 kernels"),
        ({"transforms": torch.full((30,), 8)}, "transforms up to 8"),
        ({"scaled": False, "mask": torch.zeros(6, 5).bool()}, "without scales no kernel"),
    ],
)
def test_what_does_not_fit_is_refused(change, sentence):
    given = {"labels": torch.zeros(30), "kernel_set": KernelSet(torch.zeros(4, 9)), "shape": SHAPE}
    with pytest.raises(ValueError, match=sentence):
        Kernels(**(given | change))


def test_original_is_the_scales():
    layer = nn.Conv2d(5, 6, 3)
    code, scales = drawn()
    attach(layer, "weight", code, scales)
    assert torch.equal(original_of(layer), scales)
