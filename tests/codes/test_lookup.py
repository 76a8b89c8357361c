"""The compiled passes give torch's own bits, whatever the dtype, the mask and the threads."""

import copy
import pickle

import pytest
import torch
from torch import nn

from clusterpress.codes import Masked, Shared, attach, code_of, original_of
from clusterpress.codes.lookup import in_one_pass

SHAPE = (20, 6, 5, 5)
SIZE = 20 * 6 * 5 * 5


def bits(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as bytes: zeros of both signs differ."""
    return tensor.detach().contiguous().view(torch.uint8)


def drawn(
    centers: int, *, pruned: bool, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor, torch.Tensor]:
    """Labels, mask, a codebook that learns and a gradient of the weight, all drawn anew."""
    generator = torch.Generator().manual_seed(centers)
    mask = torch.rand(SHAPE, generator=generator) < 0.3 if pruned else None
    kept = SIZE if mask is None else int(mask.sum())
    labels = torch.randint(centers, (kept,), generator=generator)
    codebook = torch.randn(centers, generator=generator, dtype=dtype).requires_grad_()
    return labels, mask, codebook, torch.randn(SHAPE, generator=generator, dtype=dtype)


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("centers", [1, 16, 256, 300, 70_000])
def test_weight_and_gradient_have_the_bits_of_indexing_and_bincount(
    centers: int, dtype: torch.dtype, pruned: bool
) -> None:
    labels, mask, codebook, gradient = drawn(centers, pruned=pruned, dtype=dtype)
    weight = Shared(labels, SHAPE, mask, dtype)(codebook)
    weight.backward(gradient)
    kept = torch.ones(SHAPE).bool() if mask is None else mask
    expected = torch.zeros(SHAPE, dtype=dtype)
    expected[kept] = codebook.detach()[labels]
    sums = torch.bincount(labels, gradient[kept].double(), minlength=centers).to(dtype)
    assert codebook.grad is not None
    assert torch.equal(bits(weight), bits(expected))
    assert torch.equal(bits(codebook.grad), bits(sums))


@pytest.mark.parametrize("pruned", [False, True])
def test_neither_threads_nor_layout_change_the_gradient(pruned: bool) -> None:
    labels, mask, codebook, gradient = drawn(16, pruned=pruned)
    code = Shared(labels, SHAPE, mask)
    found = []
    threads = torch.get_num_threads()
    for count, layout in ((1, torch.contiguous_format), (2, torch.channels_last)):
        torch.set_num_threads(count)
        codebook.grad = None
        code(codebook).backward(gradient.contiguous(memory_format=layout))
        assert codebook.grad is not None
        found.append(codebook.grad)
    torch.set_num_threads(threads)
    assert torch.equal(bits(found[0]), bits(found[1]))


def test_other_dtypes_are_looked_up_by_torch() -> None:
    labels, mask, codebook, gradient = drawn(16, pruned=True, dtype=torch.bfloat16)
    assert not in_one_pass(codebook)
    Shared(labels, SHAPE, mask, torch.bfloat16)(codebook).backward(gradient)
    assert mask is not None
    assert codebook.grad is not None
    sums = torch.bincount(labels, gradient[mask].double(), minlength=16)
    assert torch.equal(codebook.grad, sums.bfloat16())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_masked_weight_is_the_product_to_the_bit(dtype: torch.dtype) -> None:
    mask = torch.rand(SHAPE) < 0.3
    weight = torch.randn(SHAPE, dtype=dtype).contiguous(memory_format=torch.channels_last)
    original = weight.clone().requires_grad_()
    gradient = torch.randn(SHAPE, dtype=dtype)
    masked = Masked(mask)(original)
    masked.backward(gradient)
    assert original.grad is not None
    assert torch.equal(bits(masked), bits(weight * mask))
    assert torch.equal(bits(original.grad), bits(gradient * mask))


def test_labels_that_are_loaded_are_seen_and_copies_know_their_own() -> None:
    layer, codebook = nn.Linear(4, 2, bias=False), torch.tensor([1.0, 2.0])
    attach(layer, "weight", Shared(torch.zeros(8).long(), (2, 4)), codebook)
    state = layer.state_dict()
    layer.load_state_dict(state)
    assert layer.weight.unique().tolist() == [1]
    other = copy.deepcopy(layer)
    name = next(name for name in state if name.endswith("labels"))
    other.load_state_dict(state | {name: torch.ones(8).long()})
    assert other.weight.unique().tolist() == [2]
    assert layer.weight.unique().tolist() == [1]


def test_what_is_saved_of_a_used_code_is_what_was_saved_before() -> None:
    code = Shared(torch.arange(8) % 2, (2, 4), None)
    before = pickle.dumps(code)
    names = list(code.state_dict())
    code(torch.tensor([1.0, 2.0]))
    assert pickle.dumps(code) == before
    assert list(code.state_dict()) == names
    assert code.labels.dtype == torch.uint8


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, -1, 0, 1]])
def test_labels_beyond_the_codebook_are_refused(labels: list[int]) -> None:
    code = Shared(torch.tensor(labels), (2, 2))
    with pytest.raises(IndexError, match=r"label 3 in a codebook of 3|label .* is -1"):
        code(torch.ones(3))


def test_positions_outside_the_weight_are_refused() -> None:
    layer = nn.Linear(2, 2, bias=False)
    mask = torch.tensor([[True, False], [False, True]])
    attach(layer, "weight", Shared(torch.tensor([0, 1]), (2, 2), mask), torch.ones(2))
    code = code_of(layer)
    assert isinstance(code, Shared)
    assert code.positions is not None
    code.positions[1] = 4
    with pytest.raises(IndexError, match=r"position .* is 4; it must lie in \[0, 4\)"):
        code(original_of(layer))


def test_a_layer_of_which_nothing_is_kept_gives_zeros() -> None:
    codebook = torch.ones(2, requires_grad=True)
    weight = Shared(torch.zeros(0).long(), (2, 2), torch.zeros(2, 2).bool())(codebook)
    weight.sum().backward()
    assert codebook.grad is not None
    assert not weight.any()
    assert not codebook.grad.any()
