"""Codes: what trains, what stays, and what the streams give back."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from clusterpress.codes import (
    CODES,
    Binary,
    Code,
    Hashed,
    Masked,
    Product,
    Quantized,
    Shared,
    Ternary,
    all_weight_layers,
    attach,
    code_of,
    coded_tensors,
    dense_copy,
    detach,
    kind_of,
    layer_type,
    original_of,
    weight_layers,
)

LABELS = torch.tensor([0, 1, 2, 1, 1, 0, 2, 2])
MASK = torch.tensor([[1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 0]]).bool()


def shared(*, pruned: bool, dtype: torch.dtype = torch.float32) -> tuple[Shared, torch.Tensor]:
    codebook = torch.tensor([-0.5, 0.1, 0.7])
    if pruned:
        return Shared(LABELS, (3, 4), MASK, dtype), codebook
    return Shared(torch.arange(12) % 3, (3, 4), None, dtype), codebook


def masked() -> tuple[Masked, torch.Tensor]:
    return Masked(MASK), torch.randn(3, 4)


def quantized(*, affine: bool, groups: int) -> tuple[Quantized, torch.Tensor]:
    scales = torch.linspace(0.1, 0.3, (1 + affine) * groups).reshape(1 + affine, groups)
    return Quantized(torch.arange(12).reshape(3, 4) % 7, 7, affine=affine), scales


def ternary() -> tuple[Ternary, torch.Tensor]:
    return Ternary(torch.arange(12).reshape(3, 4) % 3), torch.tensor([0.3, 0.2])


def binary() -> tuple[Binary, torch.Tensor]:
    return Binary(torch.arange(12).reshape(3, 4) % 5 % 2), torch.tensor([0.3, 0.2, 0.1])


def product(parts: int) -> tuple[Product, torch.Tensor]:
    labels = torch.tensor([0, 2, 1, 1, 2, 0])
    return Product(labels, (3, 4), parts), torch.randn(parts, 3, 2)


def hashed() -> tuple[Hashed, torch.Tensor]:
    return Hashed((3, 4), 5, 7), torch.randn(5)


CASES = {
    "quantized": lambda: quantized(affine=False, groups=1),
    "quantized, affine": lambda: quantized(affine=True, groups=3),
    "ternary": ternary,
    "binary": binary,
    "product": lambda: product(2),
    "product, one codebook": lambda: product(1),
    "hashed": hashed,
    "masked": masked,
    "shared": lambda: shared(pruned=False),
    "shared, pruned": lambda: shared(pruned=True),
    "shared, fp16": lambda: shared(pruned=True, dtype=torch.float16),
}


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_codebook_gets_the_sum_over_its_members(pruned: bool, dtype: torch.dtype) -> None:
    code, codebook = shared(pruned=pruned, dtype=dtype)
    codebook.requires_grad_()
    upstream = torch.randn(3, 4)
    (code(codebook) * upstream).sum().backward()
    kept = upstream[MASK] if pruned else upstream.flatten()
    sums = [kept[code.labels == label].sum() for label in range(3)]
    assert codebook.grad is not None
    assert torch.allclose(codebook.grad, torch.stack(sums))


def test_a_centre_without_members_gets_no_gradient() -> None:
    codebook = torch.zeros(3, requires_grad=True)
    Shared(torch.tensor([0, 2]), (1, 2))(codebook).sum().backward()
    assert codebook.grad is not None
    assert codebook.grad.tolist() == [1, 0, 1]


@pytest.mark.parametrize("case", CASES)
def test_streams_give_back_the_code(case: str) -> None:
    code, original = CASES[case]()
    streams = {stream.part: stream.values for stream in code.streams(original)}
    again, value = CODES[code.kind].from_streams((3, 4), streams)
    assert torch.equal(again(value), code(original))
    assert [s.values.tolist() for s in again.streams(value)] == [
        s.values.tolist() for s in code.streams(original)
    ]


@pytest.mark.parametrize("case", CASES)
def test_attaching_and_detaching_is_exact(case: str) -> None:
    code, original = CASES[case]()
    layer = nn.Linear(4, 3)
    attach(layer, "weight", code, original)
    assert code_of(layer) is code
    assert kind_of(layer) == code.kind
    assert torch.equal(original_of(layer), original)
    dense = layer.weight.detach().clone()
    assert torch.equal(dense, code(original))
    detach(layer, "weight")
    assert code_of(layer) is None
    assert kind_of(layer) == "dense"
    assert isinstance(layer.weight, nn.Parameter)
    assert torch.equal(layer.weight, dense)
    assert set(layer.state_dict()) == {"weight", "bias"}


def test_detaching_a_dense_layer_does_nothing() -> None:
    layer = nn.Linear(4, 3)
    weight = layer.weight
    detach(layer, "weight")
    assert layer.weight is weight


def test_attaching_replaces_the_code_before() -> None:
    layer = nn.Linear(4, 3)
    attach(layer, "weight", *masked())
    code, original = shared(pruned=True)
    attach(layer, "weight", code, original)
    assert [kind_of(module, tensor) for _, module, tensor in coded_tensors(layer)] == ["shared"]
    assert torch.equal(layer.weight, code(original))


@pytest.mark.parametrize("case", CASES)
def test_training_keeps_masks_and_assignments(case: str) -> None:
    code, original = CASES[case]()
    layer = nn.Linear(4, 3)
    attach(layer, "weight", code, original)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    before = layer.weight.detach().clone()
    for _ in range(3):
        optimiser.zero_grad()
        layer(torch.randn(8, 4)).square().sum().backward()
        optimiser.step()
    after = layer.weight.detach()
    assert not torch.equal(before, after)
    if case == "masked" or case.startswith("shared,"):
        assert torch.all(after[~MASK] == 0)
    if case.startswith("shared"):
        kept = after[MASK] if "," in case else after.flatten()
        for label in range(3):
            assert kept[code.labels == label].unique().numel() == 1


def test_a_half_precision_codebook_trains_as_it_is_stored() -> None:
    code = Shared(torch.arange(4), (4,), None, torch.float16)
    codebook = torch.tensor([1 / 3, 1e-9, -7e4 / 3, 3.1e-8])
    assert torch.equal(code(codebook), codebook.half().float())


def test_right_inverse_gives_the_means_of_the_members() -> None:
    code, _ = shared(pruned=True)
    weight = torch.randn(3, 4)
    means = [weight[MASK][LABELS.eq(label)].mean() for label in range(3)]
    assert torch.allclose(code.right_inverse(weight), torch.stack(means))


def test_streams_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="labels for"):
        Shared(LABELS, (3, 4))
    code, original = shared(pruned=False)
    streams = {stream.part: stream.values for stream in code.streams(original)}
    with pytest.raises(ValueError, match="label 2"):
        Shared.from_streams((3, 4), streams | {"codebook": streams["codebook"][:2]})
    code_, weight = masked()
    streams = {stream.part: stream.values for stream in code_.streams(weight)}
    with pytest.raises(ValueError, match="kept values"):
        Masked.from_streams((3, 4), streams | {"dense": streams["dense"][:-1]})


def test_a_dense_copy_has_the_same_function_and_no_codes() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(8, 3))
    attach(network[0], "weight", Masked(torch.rand(2, 1, 2, 2) < 0.5), torch.randn(2, 1, 2, 2))
    labels = torch.randint(4, (24,))
    attach(network[2], "weight", Shared(labels, (3, 8)), torch.randn(4))
    copied = dense_copy(network)
    images = torch.randn(2, 1, 3, 3)
    assert torch.equal(copied(images), network(images))
    assert not list(coded_tensors(copied))
    assert len(list(coded_tensors(network))) == 2
    assert [(name, layer_type(layer)) for name, layer in weight_layers(network)] == [
        ("0", "conv"),
        ("2", "fc"),
    ]


def test_a_deep_copy_is_independent_of_its_original() -> None:
    layer = nn.Linear(4, 3)
    attach(layer, "weight", *masked())
    copied, weight = copy.deepcopy(layer), layer.weight.detach().clone()
    detach(copied, "weight")
    assert torch.equal(layer.weight, weight)
    attach(layer, "weight", *shared(pruned=True))
    assert torch.equal(copied.weight, weight)


def test_a_second_code_in_a_deep_copy_leaves_the_original_alone() -> None:
    layer = nn.Linear(4, 3)
    attach(layer, "weight", *masked())
    copied, older = copy.deepcopy(layer), copy.deepcopy(layer)
    weight_parameter = original_of(copied)
    bias = layer.bias
    half = Masked(torch.tensor([True, False, True]))
    attach(copied, "bias", half, torch.ones(3))
    assert copied.bias.tolist() == [1, 0, 1]
    assert original_of(copied) is weight_parameter
    for other in (layer, older):
        assert isinstance(other.bias, nn.Parameter)
        assert code_of(other, "bias") is None
        assert other(torch.zeros(2, 4)).shape == (2, 3)
    assert layer.bias is bias
    again = copy.deepcopy(copied)
    detach(copied, "weight")
    assert kind_of(copied, "bias") == "masked"
    detach(copied, "bias")
    assert type(copied) is nn.Linear
    assert [tensor for _, _, tensor in coded_tensors(again)] == ["weight", "bias"]
    assert again.bias.tolist() == [1, 0, 1]


@pytest.mark.parametrize("case", CASES)
def test_streams_are_the_parts_that_the_code_declares(case: str) -> None:
    code, original = CASES[case]()
    streams = code.streams(original)
    parts = {stream.part for stream in streams}
    assert code.parts <= parts <= code.parts | code.optional_parts
    dtypes = {s.part: s.values.dtype.str[1:] for s in streams if s.alphabet is None}
    again, value = type(code).from_streams((3, 4), {s.part: s.values for s in streams})
    assert again(value).detach().numpy().dtype.str[1:] == code.dense_dtype(dtypes)


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (Masked, "dense"),
        (Shared, "codebook"),
        (Quantized, "scale"),
        (Ternary, "scale"),
        (Product, "codebook"),
        (Hashed, "codebook"),
    ],
)
def test_integers_make_no_weight(code: type[Code], part: str) -> None:
    with pytest.raises(ValueError, match="must hold floats"):
        code.dense_dtype({part: "i4"})


def test_every_code_is_registered_under_its_kind() -> None:
    assert {code.kind for code in CODES.values()} == set(CODES)
    assert all(issubclass(code, Code) for code in CODES.values())


def test_a_layer_whose_weight_is_not_its_own_is_no_layer_for_a_code() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(7, 5)
            self.normed = weight_norm(nn.Linear(5, 5))
            self.free = nn.Linear(5, 5)
            self.logits = nn.Linear(5, 7)
            self.logits.weight = self.embedding.weight

    network = Tied()
    assert [name for name, _ in weight_layers(network)] == ["free"]
    assert [name for name, _ in all_weight_layers(network)] == ["normed", "free", "logits"]


def test_codes_of_a_frozen_layer_do_not_train() -> None:
    layer = nn.Linear(4, 3).requires_grad_(False)
    attach(layer, "weight", *shared(pruned=False))
    assert not original_of(layer).requires_grad
    detach(layer, "weight")
    assert not layer.weight.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_cast_code_computes_and_learns_in_a_half_precision_layer(dtype: torch.dtype) -> None:
    layer = nn.Linear(4, 3).to(dtype)
    code, codebook = shared(pruned=False)
    attach(layer, "weight", code, codebook, dtype)
    layer(torch.ones(2, 4, dtype=dtype)).sum().backward()
    assert original_of(layer).dtype == original_of(layer).grad.dtype == torch.float32
    assert original_of(layer).grad.tolist() == [8.0, 8.0, 8.0]
    detach(layer, "weight")
    assert torch.equal(layer.weight, codebook.to(dtype)[torch.arange(12) % 3].reshape(3, 4))
