"""Layers that run on tokens and reshapes of all kinds: merged exactly or refused by the reason.

All widths equal the number of tokens, so that sizes alone never tell that channels are misread.
"""

import copy

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import hidden_layers
from clusterpress.steps import Context, MergeNeurons, PruneNeurons

from .wired import Wired

TOKENS = torch.randn(3, 8, 24, generator=torch.Generator().manual_seed(0))
MAPS = torch.randn(3, 8, 5, 24, generator=torch.Generator().manual_seed(1))


def context(batch: torch.Tensor) -> Context:
    return Context(train=lambda network, recipe: None, example=batch[:1], clustering=0)


def wired(wiring, head: int = 64, bias: bool = True, **others: nn.Module) -> nn.Module:
    """Make a network of a layer a with twins, whatever is between, and a layer b."""
    torch.manual_seed(2)
    a = nn.Linear(24, 8, bias=bias)
    with torch.no_grad():
        a.weight[1] = a.weight[0]
        if bias:
            a.bias[1] = a.bias[0]
    return Wired(wiring, **{"a": a, "b": nn.Linear(head, 2), **others}).eval()


def flat(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return m.b(m.a(x).relu().flatten(1))


def both_ranks(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return flat(m, x) + m.c(m.a(x[:, 0]).relu())


SHAPE = r"'a' gives a tensor of shape \(1, 8,"
RESHAPE = r"'a'.*a reshape of \(8, 8\) to \(1, "
TOKEN_WISE = {
    "flatten": (wired(flat), SHAPE),
    "flatten, no bias": (wired(flat, bias=False), SHAPE),
    "flatten of another order": (
        wired(lambda m, x: m.b(m.a(x.transpose(1, 2).reshape(-1, 8, 24)).relu().flatten(1))),
        SHAPE,
    ),
    "linear": (wired(lambda m, x: m.b(m.a(x).relu()).mean(1), head=8), SHAPE),
    "mean over tokens": (wired(lambda m, x: m.b(m.a(x).relu().mean(1)), head=8), SHAPE),
    "mean over neurons": (wired(lambda m, x: m.b(m.a(x).relu().mean(2)), head=8), SHAPE),
    "one token": (wired(lambda m, x: m.b(m.a(x).relu()[:, 0]), head=8), SHAPE),
    "transpose": (wired(lambda m, x: m.b(m.a(x).transpose(1, 2).flatten(1))), SHAPE),
    "layer norm": (wired(lambda m, x: m.b(m.n(m.a(x)).flatten(1)), n=nn.LayerNorm(8)), SHAPE),
    "norm of tokens": (
        wired(lambda m, x: m.b(m.n(m.a(x)).flatten(1)), n=nn.BatchNorm1d(8)),
        SHAPE,
    ),
    "unflatten": (wired(lambda m, x: m.b(m.a(x).unflatten(2, (2, 4)).flatten(1))), SHAPE),
    "rows too": (wired(both_ranks, c=nn.Linear(8, 2)), SHAPE),
    "unfolded": (
        wired(lambda m, x: m.b(m.a(x.flatten(0, 1)).relu().view(-1, 8, 8).flatten(1))),
        RESHAPE + "8, 8",
    ),
    "pooling over rows": (
        wired(
            lambda m, x: m.b(m.p(m.a(x[:, 0])[:, :, None]).flatten(1)), 8, p=nn.MaxPool2d(3, 1, 1)
        ),
        "'a'.*Unsqueeze",
    ),
    "pooling over reshaped rows": (
        wired(
            lambda m, x: m.b(m.p(m.a(x[:, 0]).view(-1, 8, 1)).flatten(1)),
            8,
            p=nn.MaxPool2d(3, 1, 1),
        ),
        "'a'.*MaxPool2D",
    ),
    "unfolded at once": (
        wired(lambda m, x: m.b(m.a(x.flatten(0, 1)).relu().view(-1, 64))),
        RESHAPE + "64",
    ),
}
MAP_WISE = {
    "mean over columns and neurons": wired(lambda m, x: m.b(m.a(x).relu().mean((2, 3))), head=8),
    "pooling over neurons": wired(
        lambda m, x: m.b(m.p(m.a(x)).flatten(1)), head=8 * 5 * 8, p=nn.MaxPool2d(3, 1, 1)
    ),
    "convolution of rows": wired(
        lambda m, x: m.b(m.c(m.a(x).relu()).flatten(1)), head=8 * 5 * 8, c=nn.Conv2d(8, 8, 1)
    ),
    "norm of rows": wired(
        lambda m, x: m.b(m.n(m.a(x)).flatten(1)), head=8 * 5 * 8, n=nn.BatchNorm2d(8)
    ),
}
REFUSED = {
    **{case: (network, TOKENS, why) for case, (network, why) in TOKEN_WISE.items()},
    **{case: (network, MAPS, SHAPE) for case, network in MAP_WISE.items()},
}


@pytest.mark.parametrize("step", [MergeNeurons(distance=1e-5), PruneNeurons(keep=0.5)])
@pytest.mark.parametrize("case", REFUSED)
def test_neurons_of_other_dimensions_are_refused_and_nothing_changes(case: str, step):
    network, batch, why = REFUSED[case]
    before = copy.deepcopy(network.state_dict())
    assert network(batch).shape == (3, 2)
    with pytest.raises(ConfigError, match=why):
        step.apply(network, context(batch))
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def with_tokens_given(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([m.b(m.a(x[:, 0]).relu()), m.c(x).flatten(1)], 1)


EXACT = {
    "tokens as images": wired(
        lambda m, x: m.b(m.a(x.flatten(0, 1)).relu()).view(len(x), -1), head=8
    ),
    "rows that are given as tokens": wired(
        lambda m, x: m.b(m.a(x[:, 0]).relu()).unflatten(1, (2, 1)), head=8
    ),
    "tokens that are given": wired(with_tokens_given, head=8, c=nn.Linear(24, 8)),
    "rows of one position": wired(
        lambda m, x: m.b(m.a(x[:, 0]).view(len(x), -1, 1).relu().flatten(1)), head=8
    ),
    "rows as maps of one position": wired(
        lambda m, x: m.b(m.c(m.a(x[:, 0]).relu().view(len(x), -1, 1, 1)).flatten(1)),
        head=5,
        c=nn.Conv2d(8, 5, 1),
    ),
}


@pytest.mark.parametrize("case", EXACT)
def test_twins_of_rows_merge_with_no_change_of_the_function(case: str):
    network = EXACT[case]
    expected = network(TOKENS)
    MergeNeurons(distance=1e-5).apply(network, context(TOKENS))
    assert network.a.out_features == 7
    torch.testing.assert_close(network(TOKENS), expected)


SPREAD = {
    "maps and rows": (lambda a, c: a.view(1, 8, 1, 1) + c, "a skip joins tensors of 4 and of 2"),
    "maps and maps": (lambda a, c: a.view(1, 8, 1, 1) + c.view(1, 1, 8, 1), "a reshape of"),
}


@pytest.mark.parametrize("case", SPREAD)
def test_a_skip_that_joins_every_neuron_with_every_other_is_refused(case: str):
    spread, why = SPREAD[case]
    network = wired(lambda m, x: m.b(spread(m.a(x), m.c(x)).flatten(1)), c=nn.Linear(24, 8))
    assert network(TOKENS[:1, 0]).shape == (1, 2)
    with pytest.raises(ConfigError, match=why):
        hidden_layers(network, TOKENS[:1, 0], "joined")


def test_a_convolution_of_one_image_without_its_batch_is_refused():
    network = Wired(
        lambda m, x: m.b(m.a(x).relu().flatten(1)), a=nn.Conv2d(3, 8, 1), b=nn.Linear(64, 2)
    )
    with pytest.raises(ConfigError, match=r"'a' gives a tensor of shape \(8, 8, 8\)"):
        hidden_layers(network, torch.randn(3, 8, 8))
