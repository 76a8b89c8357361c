import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from clusterpress.codes import Shared, attach, original_of
from clusterpress.data.images import ImageSet
from clusterpress.training import convolutions
from clusterpress.training.convolutions import Product, as_products
from clusterpress.training.loop import train
from clusterpress.training.recipe import Recipe


@pytest.fixture(autouse=True)
def _tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products are right on every processor; only their speed asks for instructions."""
    monkeypatch.setattr(convolutions, "instructions", lambda: ("amx_bf16", "avx512_bf16"))


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype).requires_grad_()


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1, 1, 1),
        (3, 2, 5, 1, 4),
        (2, 7, 3, 2, 2),
        (4, 3, 8, 4, 3),
        (2, 5, 5, 6, 5),
        (0, 2, 3, 2, 2),
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_a_product_is_the_convolution_and_so_are_its_gradients(
    shape: tuple[int, ...], last: bool
) -> None:
    torch.manual_seed(0)
    count, channels, kernels, height, width = shape
    images, weight = drawn(count, channels, height, width), drawn(kernels, channels, 3, 3)
    parts = [images, weight, drawn(kernels)]
    if last:
        images = parts[0] = images.detach().to(memory_format=torch.channels_last).requires_grad_()
    given = torch.randn(count, kernels, height, width, dtype=torch.float64)
    ours, theirs = Product.apply(*parts), conv2d(*parts, padding=1)
    torch.testing.assert_close(ours, theirs)
    assert ours.is_contiguous(memory_format=torch.channels_last) or not last
    assert ours.is_contiguous() or last
    if count:
        for mine, reference in zip(
            torch.autograd.grad(ours, parts, given),
            torch.autograd.grad(theirs, parts, given),
            strict=True,
        ):
            torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize("trained", [(True, False, False), (False, True, False), (False, True)])
def test_only_what_is_asked_for_gets_a_gradient(trained: tuple[bool, ...]) -> None:
    parts = [drawn(2, 3, 2, 2), drawn(4, 3, 3, 3), drawn(4)][: len(trained)]
    for tensor, trains in zip(parts, trained, strict=True):
        tensor.requires_grad_(trains)
    Product.apply(*parts, *([None] * (3 - len(parts)))).sum().backward()
    assert [tensor.grad is not None for tensor in parts] == list(trained)


def layer(**settings: Any) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(**{"in_channels": 128, "out_channels": 128, "kernel_size": 3, **settings})


def is_product(network: nn.Module, size: int = 4) -> bool:
    with as_products(network, "bf16", "cpu"):
        return is_product_inside(network, size)


def is_product_inside(network: nn.Module, size: int = 4) -> bool:
    with torch.autocast("cpu", torch.bfloat16):
        output = network(torch.randn(2, 128, size, size))
    return type(output.grad_fn).__name__ == "ProductBackward"


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("padding", [1, "same"])
def test_a_layer_gives_what_its_convolution_gives(bias: bool, padding: Any) -> None:
    network = layer(padding=padding, bias=bias)
    images = torch.randn(3, 128, 2, 2)
    expected = network(images)
    with as_products(network, "bf16", "cpu"), torch.autocast("cpu", torch.bfloat16):
        output = network(images)
    assert output.dtype == torch.bfloat16
    torch.testing.assert_close(output.float(), expected, rtol=0.02, atol=0.02)
    assert is_product(network)


class Own(nn.Conv2d):
    def _conv_forward(self, *given: Any) -> torch.Tensor:
        return super()._conv_forward(*given)


@pytest.mark.parametrize(
    "settings",
    [
        {"stride": 2, "padding": 1},
        {"padding": 0},
        {"padding": "same", "dilation": 2},
        {"padding": 1, "groups": 2},
        {"padding": 1, "padding_mode": "circular"},
        {"padding": "same", "kernel_size": 5},
        {"padding": 1, "out_channels": 127},
    ],
)
def test_other_convolutions_are_left_alone(settings: dict[str, Any]) -> None:
    assert not is_product(layer(**settings))


def test_a_layer_with_a_forward_of_its_own_is_left_alone() -> None:
    assert not is_product(Own(128, 128, 3, padding=1))


def test_a_layer_that_someone_else_changed_is_left_alone() -> None:
    changed = layer(padding=1)
    theirs = changed._conv_forward
    changed.__dict__["_conv_forward"] = theirs
    assert not is_product(changed)
    assert vars(changed)["_conv_forward"] is theirs


def test_trainings_within_one_another_leave_a_layer_as_it_was() -> None:
    network = layer(padding=1)
    with as_products(network, "bf16", "cpu"):
        with as_products(network, "bf16", "cpu"):
            pass
        assert is_product_inside(network)
    assert "_conv_forward" not in vars(network)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("last", [False, True])
def test_what_follows_may_change_it_in_place_or_view_it(size: int, last: bool) -> None:
    class Following(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = layer(padding=1, bias=False)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            output = self.conv(images)
            output += 1
            torch.relu_(output)
            return output if last else output.view(len(output), -1)

    network = Following()
    images = torch.randn(2, 128, size, size)
    if last:
        images = images.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        expected = network(images)
        with as_products(network, "bf16", "cpu"):
            output = network(images)
    assert output.stride() == expected.stride()
    torch.testing.assert_close(output, expected, rtol=0.02, atol=0.02)
    output.sum().backward()


def test_float32_is_kept_where_autocast_is_off() -> None:
    network, images = layer(padding=1), torch.randn(2, 128, 2, 2)
    expected = network(images)
    with as_products(network, "bf16", "cpu"):
        assert torch.equal(network(images), expected)


def test_large_images_are_convolved() -> None:
    assert is_product(layer(padding=1), size=4)
    assert not is_product(layer(padding=1), size=5)


@pytest.mark.parametrize(("precision", "accelerator"), [("32", "cpu"), ("bf16", "gpu")])
def test_nothing_changes_elsewhere(precision: str, accelerator: str) -> None:
    network = layer(padding=1)
    with as_products(network, precision, accelerator):
        assert "_conv_forward" not in vars(network)


def test_nothing_changes_without_instructions_for_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolutions, "instructions", lambda: ("avx2", "avx512_f"))
    assert not is_product(layer(padding=1), 1)


def test_without_tiles_images_are_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolutions, "instructions", lambda: ("avx2", "avx512_bf16"))
    taken = [size for size in (1, 2, 3, 4, 5) if is_product(layer(padding=1), size)]
    assert taken == [1, 2, 3]


def test_layers_come_back_as_they_were_whatever_happens() -> None:
    network = nn.Sequential(layer(padding=1))

    def fail() -> None:
        assert "_conv_forward" in vars(network[0])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), as_products(network, "bf16", "cpu"):
        fail()
    assert "_conv_forward" not in vars(network[0])


def test_a_layer_that_stands_twice_in_a_network_comes_back_too() -> None:
    one = layer(padding=1)
    with as_products(nn.Sequential(one, nn.Sequential(one)), "bf16", "cpu"):
        pass
    assert "_conv_forward" not in vars(one)


def test_a_codebook_learns_through_a_product() -> None:
    coded = layer(padding=1)
    labels = torch.randint(4, (coded.weight.numel(),))
    attach(coded, "weight", Shared(labels, tuple(coded.weight.shape)), torch.randn(4))
    assert is_product(coded)
    with as_products(coded, "bf16", "cpu"), torch.autocast("cpu", torch.bfloat16):
        coded(torch.randn(2, 128, 2, 2)).float().square().mean().backward()
    codebook = original_of(coded, "weight")
    assert codebook.grad is not None
    assert bool((codebook.grad != 0).all())


def test_a_training_takes_products_and_learns_as_with_convolutions(
    images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 128, 3, stride=2, padding=1),
        nn.ReLU(),
        layer(padding=1, bias=False),
        nn.Flatten(),
        nn.Linear(128 * 16, 4),
    )
    recipe = Recipe(epochs=2, batch_size=32, lr=0.01, precision="bf16")
    seen: list[int] = []
    product = convolutions._product
    monkeypatch.setattr(
        convolutions, "_product", lambda *given: (seen.append(1), product(*given))[1]
    )
    histories = {}
    for precision in ("bf16", "32"):
        copied = copy.deepcopy(network)
        histories[precision] = train(copied, images, replace(recipe, precision=precision), seed=0)
        assert bool(seen) == (precision == "bf16")
        seen.clear()
    losses = [history.epochs[-1].train_loss for history in histories.values()]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
