"""DKM: soft while training, hard in the end, and exact gradients in bounded memory."""

import copy

import pytest
import torch

from clusterpress import artifact
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


BLOCK_CENTERS = torch.tensor([[-1.0, 0.5], [0.1, 0.2], [0.8, -0.3]], dtype=torch.float64)


def soft_blocks(latent: torch.Tensor, iterations: int = 2) -> torch.Tensor:
    """Soft k-means of pairs by the definition, without chunks, recomputation or cdist."""
    blocks, centers = latent.reshape(-1, 2), BLOCK_CENTERS
    for _ in range(iterations + 1):
        distances = (blocks[:, None] - centers[None]).square().sum(2).sqrt()
        attended = torch.softmax(-distances / 0.3, dim=1)
        weight = attended @ centers
        centers = attended.T @ blocks / attended.sum(0)[:, None]
    return weight.reshape(latent.shape)


def test_gradients_of_blocks_are_those_of_the_whole_function(monkeypatch):
    monkeypatch.setattr(attention, "_CHUNK", 3)
    latent = torch.randn(5, 2, 2, 1, dtype=torch.float64, requires_grad=True)
    form, upstream = SoftForm(BLOCK_CENTERS, 0.3, 2), torch.randn_like(latent)
    weight = form(latent)
    torch.testing.assert_close(weight, soft_blocks(latent))
    (ours,) = torch.autograd.grad((weight * upstream).sum(), latent)
    (expected,) = torch.autograd.grad((soft_blocks(latent) * upstream).sum(), latent)
    torch.testing.assert_close(ours, expected)


def test_a_block_that_lies_on_its_centre_has_a_gradient():
    latent = BLOCK_CENTERS.clone().requires_grad_()
    SoftForm(BLOCK_CENTERS, 0.3, 2)(latent).square().sum().backward()
    assert bool(torch.isfinite(latent.grad).all())


def test_blocks_of_one_weight_are_scalars():
    found = []
    for centers in (CENTERS, CENTERS.unsqueeze(1)):
        latent = torch.linspace(-1, 1, 30, dtype=torch.float64).requires_grad_()
        form = SoftForm(centers, 0.3, 3)
        weight = form(latent)
        weight.square().sum().backward()
        found.append((weight, latent.grad, form.centers.flatten(), form.nearest(latent)))
    for scalar, block in zip(*found, strict=True):
        torch.testing.assert_close(scalar, block)


def test_the_attention_of_many_centres_is_held_in_smaller_chunks():
    form = SoftForm(torch.zeros(4096, 4), 0.1, 1)
    chunks = form._chunks(torch.zeros(1 << 16))
    assert {len(chunk) * 4096 for chunk in chunks} == {1 << 24}


@pytest.mark.parametrize("dim", [2, 4, 8])
def test_blocks_end_as_a_product_code_that_costs_bits_by_dim(network, context, tmp_path, dim):
    SoftShare(Recipe(), bits={"fc": 3, "3": None}, dim={"fc": dim}).apply(network, context)
    assert [kind_of(network[place]) for place in (0, 2, 3)] == ["dense", "product", "dense"]
    assert network[2].weight.reshape(-1, dim).unique(dim=0).shape[0] <= 8
    assert context.facts["centroids"] == {"2": 8}
    ledger = artifact.save(network, tmp_path / "network.safetensors")
    parts = {row.part: row for row in ledger.rows if row.layer == "2" and row.kind == "product"}
    assert parts["index"].fixed_bits == network[2].weight.numel() * 3 // dim
    assert parts["codebook"].fixed_bits == 8 * dim * 32
    again = artifact.load(tmp_path / "network.safetensors", into=copy.deepcopy(network))
    assert torch.equal(again[2].weight, network[2].weight)


def test_blocks_go_on_learning_from_their_nearest_centres(network, context):
    before = network[2].weight.detach().clone()
    SoftShare(Recipe(), bits={"2": 4}, dim=4).apply(network, context)
    error = (network[2].weight - before).square().sum() / before.square().sum()
    assert error < 0.9
    network[2].weight.sum().backward()
    codebook = next(p for name, p in network[2].named_parameters() if "weight" in name)
    assert codebook.shape == (1, 16, 4)
    assert float(codebook.grad.sum()) == before.numel()


def test_rows_that_blocks_do_not_divide_are_refused_by_name(network):
    with pytest.raises(ConfigError, match=r"layer '0' has rows of 9 weights.*leave it out"):
        SoftShare(Recipe(), bits=2, dim=2).check(network)
    SoftShare(Recipe(), bits={"0": None, "fc": 2}, dim=2).check(network)
    SoftShare(Recipe(), bits=2, dim={"fc": 2}).check(network)


def test_more_centres_than_blocks_and_wide_scalars_are_refused(network):
    with pytest.raises(ConfigError, match=r"layer '3' has 9 blocks of 4 weights.* at most 3 bits"):
        SoftShare(Recipe(), bits={"3": 4}, dim=4).check(network)
    with pytest.raises(ConfigError, match="bits=9 of layer '2' is above 8, which needs blocks"):
        SoftShare(Recipe(), bits={"fc": 9}, dim={"3": 2}).check(network)


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
    with pytest.raises(
        ConfigError, match=r"layer '0' has 36 kept .* or leave it out with bits"
    ) as no:
        SoftShare(Recipe(), bits=6).check(network)
    assert "exact" not in str(no.value)  # A knob that it has not.


@pytest.mark.parametrize(
    "knobs",
    [
        {"bits": 0},
        {"bits": 9},
        {"temperature": 0.0},
        {"temperature": "abc"},
        {"iterations": 0},
        {"recipe": 1},
        {"dim": 0},
        {"dim": None},
        {"dim": 2.0},
        {"bits": 13, "dim": 2},
        {"bits": None},
    ],
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
