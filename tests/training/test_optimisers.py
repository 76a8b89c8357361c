from itertools import pairwise

import pytest
import torch
from torch import nn

from clusterpress.training.optimisers import build_optimizer, build_schedule, lr_factor
from clusterpress.training.recipe import Recipe

STEPS = 10


def curve(recipe: Recipe) -> list[float]:
    return [lr_factor(recipe, step, STEPS) for step in range(recipe.epochs * STEPS)]


def test_constant() -> None:
    assert curve(Recipe(epochs=3, schedule="constant")) == [1.0] * 30


def test_step_falls_at_its_milestones() -> None:
    recipe = Recipe(epochs=4, schedule="step", milestones=(1, 3), gamma=0.1)
    assert curve(recipe) == pytest.approx([1.0] * 10 + [0.1] * 20 + [0.01] * 10)


def test_cosine_agrees_with_torch() -> None:
    parameter = nn.Parameter(torch.zeros(1))
    reference = torch.optim.SGD([parameter], 1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(reference, 30)
    rates = []
    for _ in range(30):
        rates.append(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()
    assert curve(Recipe(epochs=3, schedule="cosine")) == pytest.approx(rates, abs=1e-12)


def test_warmup_rises_in_a_line_and_then_the_schedule_begins() -> None:
    factors = curve(Recipe(epochs=3, schedule="cosine", warmup_epochs=0.5))
    assert factors[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert all(later < earlier for earlier, later in pairwise(factors[5:]))


def test_one_cycle_rises_for_three_tenths_and_ends_near_zero() -> None:
    factors = curve(Recipe(epochs=10, schedule="one_cycle"))
    assert factors[0] == pytest.approx(1 / 25)
    assert max(factors) == factors[30] == pytest.approx(1.0)
    rises = [later - earlier for earlier, later in pairwise(factors[:31])]
    assert rises == pytest.approx([24 / 25 / 30] * 30)
    assert all(later < earlier for earlier, later in pairwise(factors[30:]))
    assert factors[-1] < 1e-3


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_optimizers_agree_with_torchs_unfused(name: str) -> None:
    recipe = Recipe(optimizer=name, lr=0.01, momentum=0.8, weight_decay=0.1)
    ours, theirs = (nn.Parameter(torch.ones(5)) for _ in range(2))
    optimizer = build_optimizer([ours], recipe)
    reference: torch.optim.Optimizer
    if name == "sgd":
        reference = torch.optim.SGD([theirs], 0.01, momentum=0.8, weight_decay=0.1)
    else:
        reference = torch.optim.AdamW([theirs], 0.01, betas=(0.8, 0.999), weight_decay=0.1)
    for step in range(5):
        for parameter in (ours, theirs):
            parameter.grad = torch.linspace(-1, 1, 5) * (step + 1)
        optimizer.step()
        reference.step()
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_frozen_parameters_are_left_out_and_the_schedule_sets_the_rate() -> None:
    frozen, trained = nn.Parameter(torch.ones(1), requires_grad=False), nn.Parameter(torch.ones(1))
    recipe = Recipe(epochs=1, lr=0.5, schedule="one_cycle")
    optimizer = build_optimizer([frozen, trained], recipe)
    assert [group["params"] for group in optimizer.param_groups] == [[trained]]
    build_schedule(optimizer, recipe, STEPS)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5 / 25)
