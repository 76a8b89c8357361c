"""Hidden layers are found in order, with their readers; what cannot be merged is refused."""

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.checkpoint import checkpoint

from clusterpress.codes import Masked, attach
from clusterpress.errors import ConfigError
from clusterpress.merging import Consumer, HiddenLayer, Norm, hidden_layers, narrowed

from .networks import Residual
from .wired import Wired

EXAMPLE = torch.randn(1, 1, 10, 10)


def named(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


class Doubled(nn.Linear):
    """Gives its features twice, which its weight does not tell."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).repeat(1, 2)


def test_linear_layers_without_inputs_and_logits():
    network = named(f=nn.Flatten(), a=nn.Linear(100, 7), r=nn.ReLU(), b=nn.Linear(7, 3))
    assert hidden_layers(network, EXAMPLE) == [HiddenLayer("a", 7, (Consumer("b", 1),))]


def test_a_flatten_gives_each_channel_its_positions():
    network = named(
        c1=nn.Conv2d(1, 4, 3),
        p=nn.MaxPool2d(2),
        c2=nn.Conv2d(4, 5, 3),
        f=nn.Flatten(),
        a=nn.Linear(20, 6),
        r=nn.ReLU(),
        b=nn.Linear(6, 2),
    )
    assert hidden_layers(network, EXAMPLE) == [
        HiddenLayer("c1", 4, (Consumer("c2", 1),)),
        HiddenLayer("c2", 5, (Consumer("a", 4),)),
        HiddenLayer("a", 6, (Consumer("b", 1),)),
    ]


def test_order_is_that_of_the_data_not_of_the_definition():
    network = Wired(
        lambda m, x: m.last(m.mid(m.first(x.flatten(1)).relu()).relu()),
        last=nn.Linear(4, 2),
        mid=nn.Linear(3, 4),
        first=nn.Linear(100, 3),
    )
    assert [layer.name for layer in hidden_layers(network, EXAMPLE)] == ["first", "mid"]


def test_two_readers_are_both_found():
    network = Wired(
        lambda m, x: m.b(functional.relu(m.a(x.flatten(1)))) + m.c(m.a(x.flatten(1))),
        a=nn.Linear(100, 3),
        b=nn.Linear(3, 2),
        c=nn.Linear(3, 2),
    )
    (layer,) = hidden_layers(network, EXAMPLE)
    assert {reader.name for reader in layer.consumers} == {"b", "c"}


def test_global_average_pooling_is_gone_through():
    network = named(
        c=nn.Conv2d(1, 4, 3), p=nn.AdaptiveAvgPool2d(1), f=nn.Flatten(), a=nn.Linear(4, 2)
    )
    assert hidden_layers(network, EXAMPLE) == [HiddenLayer("c", 4, (Consumer("a", 1),))]


ALONE = [
    nn.CELU(),
    nn.ELU(),
    nn.GELU(),
    nn.Hardsigmoid(),
    nn.Hardswish(),
    nn.Hardtanh(),
    nn.Identity(),
    nn.LeakyReLU(),
    nn.LogSigmoid(),
    nn.Mish(),
    nn.ReLU(inplace=True),
    nn.ReLU6(),
    nn.SELU(),
    nn.Sigmoid(),
    nn.SiLU(),
    nn.Softplus(),
    nn.Tanh(),
    nn.Threshold(0.1, 0.0),
    nn.Dropout(),
    nn.MaxPool2d(2),
    nn.AvgPool2d(2),
    nn.AdaptiveAvgPool2d(2),
    nn.AdaptiveMaxPool2d(2),
]


@pytest.mark.parametrize("operation", ALONE, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_treats_each_neuron_alone_is_gone_through(operation: nn.Module, layout):
    positions = operation(torch.randn(1, 4, 8, 8))[0, 0].numel()
    network = named(
        c=nn.Conv2d(1, 4, 3), o=operation, f=nn.Flatten(), a=nn.Linear(4 * positions, 2)
    )
    found = hidden_layers(network.to(memory_format=layout), EXAMPLE)
    assert found == [HiddenLayer("c", 4, (Consumer("a", positions),))]


def test_a_hidden_layer_that_is_an_output_too_is_not_listed():
    def both(m: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = m.a(x.flatten(1))
        return features, m.b(features.relu())

    network = Wired(both, a=nn.Linear(100, 3), b=nn.Linear(3, 2))
    assert hidden_layers(network, EXAMPLE) == []


def test_the_network_is_left_as_it_was():
    network = named(f=nn.Flatten(), a=nn.Linear(100, 7), d=nn.Dropout(), b=nn.Linear(7, 3)).train()
    network.d.eval()
    network.a.requires_grad_(False)
    with torch.no_grad():
        (layer,) = hidden_layers(network, EXAMPLE)
    assert layer.name == "a"
    assert network.training
    assert network.b.training
    assert not network.d.training
    assert not network.a.weight.requires_grad
    assert network.b.weight.grad is None


class Standardised(nn.Conv2d):
    def _conv_forward(self, images, weight, bias):
        weight = weight - weight.mean((1, 2, 3), keepdim=True)
        return super()._conv_forward(images, weight / weight.std(), bias)


class Normalised(nn.Linear):
    def forward(self, rows):
        return nn.functional.linear(rows, nn.functional.normalize(self.weight), self.bias)


class DoubledNorm(nn.BatchNorm2d):
    def forward(self, images):
        return 2 * super().forward(images)


def replaced() -> nn.Module:
    layer = nn.Conv2d(4, 4, 3)
    layer.forward = lambda images: nn.functional.conv2d(images, layer.weight.clamp(-1, 1))
    return layer


OTHER = {
    "_conv_forward": lambda: Standardised(4, 4, 3),
    "forward": replaced,
    "forward of a norm": lambda: DoubledNorm(4),
}


@pytest.mark.parametrize("layer", OTHER.values(), ids=OTHER)
def test_a_layer_that_computes_something_of_its_own_is_refused(layer):
    network = named(a=nn.Conv2d(1, 4, 3), b=layer(), r=nn.ReLU(), f=nn.Flatten())
    network.c = nn.Linear(network(EXAMPLE).shape[1], 2)
    with pytest.raises(ConfigError, match=r"'b'.*forward\(\) is not (Conv2d|BatchNorm2d)'s"):
        hidden_layers(network, EXAMPLE)


def test_a_linear_layer_that_normalises_its_weight_is_refused():
    network = named(f=nn.Flatten(), a=nn.Linear(100, 4), b=Normalised(4, 2))
    with pytest.raises(ConfigError, match=r"'b'.*is not Linear's"):
        hidden_layers(network, EXAMPLE)


def skip(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    first = m.a(x.flatten(1)).relu()
    return m.c(m.b(first).relu() + first)


REFUSED = {
    "norm of the batch": (
        named(
            a=nn.Conv2d(1, 4, 3),
            n=nn.BatchNorm2d(4, track_running_stats=False),
            f=nn.Flatten(),
            b=nn.Linear(256, 2),
        ),
        "'a'.*BatchNorm.*without running statistics",
    ),
    "group normalisation": (
        named(a=nn.Conv2d(1, 4, 3), n=nn.GroupNorm(2, 4), f=nn.Flatten(), b=nn.Linear(256, 2)),
        "'a'.*GroupNorm",
    ),
    "layer normalisation": (
        named(f=nn.Flatten(), a=nn.Linear(100, 4), n=nn.LayerNorm(4), b=nn.Linear(4, 2)),
        "'a'.*LayerNorm",
    ),
    "softmax": (
        named(f=nn.Flatten(), a=nn.Linear(100, 4), s=nn.Softmax(1), b=nn.Linear(4, 2)),
        "'a'.*Softmax",
    ),
    "skip from the input": (
        Wired(
            lambda m, x: m.b((m.a(x) + x).flatten(1)),
            a=nn.Conv2d(1, 1, 3, padding=1),
            b=nn.Linear(100, 2),
        ),
        "'a'.*Add",
    ),
    "concatenation with the input": (
        Wired(
            lambda m, x: m.b(torch.cat([m.a(x), x], 1).flatten(1)),
            a=nn.Conv2d(1, 3, 3, padding=1),
            b=nn.Linear(400, 2),
        ),
        "'a'.*has the input or a constant in it",
    ),
    "concatenation along another dimension": (
        Wired(
            lambda m, x: m.b(torch.cat([m.a(x), m.a(x)], 2).flatten(1)),
            a=nn.Conv2d(1, 3, 3),
            b=nn.Linear(384, 2),
        ),
        "'a'.*not along dimension 1",
    ),
    "a layer of a width of its own": (
        named(f=nn.Flatten(), a=Doubled(100, 4), b=nn.Linear(8, 2)),
        r"'a'.*forward\(\) is not Linear's",
    ),
    "groups": (
        named(a=nn.Conv2d(1, 4, 3), g=nn.Conv2d(4, 4, 3, groups=2), f=nn.Flatten()),
        "groups",
    ),
    "depthwise": (
        named(a=nn.Conv2d(1, 4, 3), g=nn.Conv2d(4, 4, 3, groups=4), e=nn.Conv2d(4, 2, 1)),
        "'a'|groups",
    ),
    "another layout": (
        Wired(
            lambda m, x: m.b(m.a(x).permute(0, 2, 3, 1).flatten(1)),
            a=nn.Conv2d(1, 4, 3),
            b=nn.Linear(256, 2),
        ),
        "'a'.*Permute",
    ),
    "a layer that reads itself": (
        Wired(
            lambda m, x: m.c(m.b(m.b(m.a(x.flatten(1)).relu()).relu())),
            a=nn.Linear(100, 3),
            b=nn.Linear(3, 3),
            c=nn.Linear(3, 2),
        ),
        "used again on its own output",
    ),
    "a parameter of its own": (
        named(f=nn.Flatten(), a=nn.Linear(100, 4), p=nn.PReLU(4), b=nn.Linear(4, 2)),
        "'a'.*PReLU",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_merged_is_refused_by_name(case: str):
    network, message = REFUSED[case]
    with pytest.raises(ConfigError, match=message):
        hidden_layers(network, EXAMPLE)


JOINED = {
    "skip": (Wired(skip, a=nn.Linear(100, 4), b=nn.Linear(4, 4), c=nn.Linear(4, 2)), "c"),
    "a reader of two layers": (
        Wired(
            lambda m, x: m.c(m.a(x.flatten(1)).relu()) + m.c(m.b(x.flatten(1)).relu()),
            a=nn.Linear(100, 4),
            b=nn.Linear(100, 4),
            c=nn.Linear(4, 2),
        ),
        "c",
    ),
}


@pytest.mark.parametrize("case", JOINED)
def test_layers_that_a_skip_joins_are_left_out_or_one(case: str):
    network, reader = JOINED[case]
    assert hidden_layers(network, EXAMPLE) == []
    (layer,) = hidden_layers(network, EXAMPLE, "joined")
    assert set(layer.producers) == {"a", "b"}
    assert layer.width == 4
    assert reader in {consumer.name for consumer in layer.consumers}


def test_a_concatenation_tells_where_a_reader_has_each_layer():
    network = Wired(
        lambda m, x: m.c(m.n(torch.cat([m.a(x.flatten(1)), m.b(x.flatten(1))], 1))),
        a=nn.Linear(100, 3),
        b=nn.Linear(100, 2),
        n=nn.BatchNorm1d(5),
        c=nn.Linear(5, 2),
    )
    first, second = hidden_layers(network, EXAMPLE)
    assert (first.consumers, second.consumers) == ((Consumer("c", 1),), (Consumer("c", 1, 3),))
    assert (first.norms, second.norms) == ((Norm("n", 1, 0, "a"),), (Norm("n", 1, 3, "b"),))
    (moved,) = narrowed([second], first, lost=2)
    assert moved.consumers == (Consumer("c", 1, 1),)
    assert moved.norms == (Norm("n", 1, 1, "b"),)


def test_norms_are_those_of_the_sums_or_behind_them():
    network = Wired(
        lambda m, x: m.b(m.last(m.first(m.a(x)).relu()).flatten(1)),
        a=nn.Conv2d(1, 4, 3),
        first=nn.BatchNorm2d(4),
        last=nn.BatchNorm2d(4),
        b=nn.Linear(256, 2),
    )
    (layer,) = hidden_layers(network, EXAMPLE)
    assert layer.norms_of("a") == [Norm("first", 1, 0, "a")]
    assert layer.norms_of(None) == [Norm("last", 1)]
    assert layer.scalable == {"a"}


def test_a_skip_that_pads_is_refused_and_blocks_behind_it_are_found_inside():
    network, images = Residual("padding"), torch.randn(1, 3, 12, 12)
    found = [layer.name for layer in hidden_layers(network, images)]
    assert found == ["blocks.0.conv1", "blocks.1.conv1", "blocks.2.conv1"]
    with pytest.raises(
        ConfigError, match=r"'blocks\.0\.conv2'.*padding.*shortcut A.*skips: internal"
    ):
        hidden_layers(network, images, "joined")


def added_to_its_norms(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    stream = m.a(x.flatten(1))
    for _ in range(40):
        stream = stream + nn.functional.layer_norm(stream, (4,))
    return m.b(stream)


def test_a_chain_of_skips_over_what_cannot_be_followed_is_refused_by_its_layer():
    # Each of the 40 additions doubles what is known of the stream, unless a layer is told once.
    network = Wired(added_to_its_norms, a=nn.Linear(100, 4), b=nn.Linear(4, 2))
    with pytest.raises(ConfigError, match=r"'a'.*LayerNorm"):
        hidden_layers(network, EXAMPLE, "joined")


UNTRACEABLE = {
    "detached": (lambda m, x: m.a(x.flatten(1)).detach(), "detaches"),
    "failing": (lambda m, x: m.a(x), "RuntimeError"),
    "no tensor": (lambda m, x: None, "cannot be traced"),
}


@pytest.mark.parametrize("case", UNTRACEABLE)
def test_a_network_that_cannot_be_traced_is_refused_and_left_as_it_was(case: str):
    wiring, message = UNTRACEABLE[case]
    network = Wired(wiring, a=nn.Linear(100, 3)).train()
    with pytest.raises(ConfigError, match=f"cannot be traced.*{message}|{message}"):
        hidden_layers(network, EXAMPLE)
    assert network.training
    assert not network.a._forward_hooks


@pytest.mark.parametrize("layer", ["a", "b"])
def test_layers_that_codes_hold_are_refused_by_name(layer: str):
    network = named(f=nn.Flatten(), a=nn.Linear(100, 7), r=nn.ReLU(), b=nn.Linear(7, 3))
    module = network.get_submodule(layer)
    attach(module, "weight", Masked(torch.ones_like(module.weight)), module.weight.detach())
    with pytest.raises(ConfigError, match=f"'{layer}'.*masked"):
        hidden_layers(network, EXAMPLE)


class Auxiliary(nn.Module):
    """A head that reads a hidden layer in training alone, as googlenet has."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.logits, self.head = nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = torch.relu(self.hidden(x))
        logits: torch.Tensor = self.logits(features)
        return logits + self.head(features) if self.training else logits


def test_layers_that_run_in_training_alone_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"no call of the layers head when.*aux_logits=False"):
        hidden_layers(Auxiliary(), torch.randn(1, 4))


@torch.no_grad()
def without_gradients(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return m.a(x).relu()


UNSEEN = {
    "no_grad": without_gradients,
    "detach": lambda m, x: m.a(x).relu().detach(),
    "checkpoint": lambda m, x: checkpoint(lambda t: m.a(t).relu(), x.detach(), use_reentrant=True),
    "function": lambda m, x: functional.linear(x, m.a.weight, m.a.bias).relu(),
}


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("how", UNSEEN)
def test_layers_that_autograd_does_not_see_are_refused_and_not_said_to_take_no_part(how: str):
    network = Wired(
        lambda m, x: m.b(m.d(x).relu() + UNSEEN[how](m, x)),
        a=nn.Linear(4, 6),
        d=nn.Linear(4, 6),
        b=nn.Linear(6, 3),
    )
    with pytest.raises(ConfigError, match=f"records no call of the layers a when.*{how}"):
        hidden_layers(network, torch.randn(1, 4))


def test_layers_that_other_parametrizations_hold_are_refused_by_their_names():
    network = nn.Sequential(weight_norm(nn.Linear(4, 6)), nn.ReLU(), nn.Linear(6, 3))
    with pytest.raises(ConfigError, match=r"'0'.*no code of clusterpress \(WeightNorm\)"):
        hidden_layers(network, torch.randn(1, 4))


def test_tied_weights_are_refused_by_name() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    network[2].weight = network[0].weight
    with pytest.raises(ConfigError, match=r"'0'.*tied"):
        hidden_layers(network, torch.randn(1, 4))


def test_the_memory_layout_of_a_network_changes_nothing() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    )
    wanted = hidden_layers(network, torch.randn(1, 3, 8, 8))
    assert [layer.name for layer in wanted] == ["0"]
    network.to(memory_format=torch.channels_last)
    strides = network[0].weight.stride()
    example = torch.randn(1, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    assert hidden_layers(network, example) == wanted
    assert network[0].weight.stride() == strides
