"""DKM: soft while training, hard in the end, and exact gradients in bounded memory."""

import pytest
import torch

from clusterpress.codes import kind_of
from clusterpress.errors import ConfigError
from clusterpress.steps import Prune, SoftShare, attention
from clusterpress.steps.attention import SoftForm
from clusterpress.training.recipe import Recipe

CENTERS = torch.tensor([-1.0, 0.1, 0.8], dtype=torch.float64)


def soft(latent: torch.Tensor, iterations: int = 2) -> torch.Tensor:
    """The same function without chunks or recomputation."""
    centers = CENTERS
    for _ in range(iterations + 1):
        attended = torch.softmax(-(latent.unsqueeze(1) - centers).abs() / 0.3, dim=1)
        weight = attended @ centers
        centers = latent @ attended / attended.sum(0)
    return weight


def test_the_network_ends_with_few_values(network, context, calls):
    SoftShare(Recipe(), bits={"fc": 2}).apply(network, context)
    assert len(calls.recipes) == 1
    assert [kind_of(network[place]) for place in (0, 2, 3)] == ["dense", "shared", "shared"]
    assert network[2].weight.unique().numel() <= 4
    assert context.facts["centroids"] == {"2": 4, "3": 4}


def test_gradients_are_those_of_the_whole_function(monkeypatch):
    monkeypatch.setattr(attention, "_CHUNK", 7)
    latent = torch.randn(20, dtype=torch.float64, requires_grad=True)
    form, upstream = SoftForm(CENTERS, 0.3, 2), torch.randn(20, dtype=torch.float64)
    weight = form(latent)
    torch.testing.assert_close(weight, soft(latent))
    (ours,) = torch.autograd.grad((weight * upstream).sum(), latent)
    (expected,) = torch.autograd.grad((soft(latent) * upstream).sum(), latent)
    torch.testing.assert_close(ours, expected)


def test_the_next_pass_starts_where_the_last_one_ended():
    latent = torch.randn(20, dtype=torch.float64, requires_grad=True)
    form = SoftForm(CENTERS, 0.3, 2)
    form(latent)
    again = form.centers.clone()
    assert not torch.equal(again, CENTERS)
    form.eval()
    hard = form(latent)
    assert torch.equal(form.centers, again)
    assert set(hard.tolist()) <= set(again.tolist())


def test_a_cold_attention_is_the_hard_assignment():
    latent = torch.randn(50, dtype=torch.float64, requires_grad=True)
    form = SoftForm(CENTERS, 1e-6, 1)
    weight = form(latent)
    torch.testing.assert_close(weight.detach(), form.centers[form.nearest(latent)])


def test_a_centre_that_nothing_is_near_stays():
    form = SoftForm(torch.tensor([0.0, 100.0]), 0.01, 3)
    latent = torch.randn(30, requires_grad=True)
    form(latent).sum().backward()
    assert float(form.centers[1]) == 100
    assert bool(torch.isfinite(latent.grad).all())


def test_pruned_layers_are_refused(network, context):
    Prune(keep=0.5).apply(network, context)
    with pytest.raises(ConfigError, match="layer '0' is pruned"):
        SoftShare(Recipe()).apply(network, context)


def test_more_centres_than_weights_name_the_layer(network):
    with pytest.raises(ConfigError, match="layer '0' has 36 kept weights"):
        SoftShare(Recipe(), bits=6).check(network)


@pytest.mark.parametrize(
    "knobs", [{"bits": 0}, {"bits": 9}, {"temperature": 0.0}, {"iterations": 0}, {"recipe": 1}]
)
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        SoftShare(**{"recipe": Recipe(), **knobs})


def test_autocast_changes_neither_the_soft_weight_nor_its_gradient():
    found = []
    for on in (False, True):
        form, latent = (
            SoftForm(CENTERS.float(), 0.05, 3),
            torch.linspace(-1, 1, 300).requires_grad_(),
        )
        with torch.autocast("cpu", torch.bfloat16, enabled=on):
            weight = form(latent)
        weight.square().sum().backward()
        found.append((weight.detach(), latent.grad))
    assert found[1][0].dtype == torch.float32
    assert all(torch.equal(plain, cast) for plain, cast in zip(*found, strict=True))
