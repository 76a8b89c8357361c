"""Statistics of BatchNorm are those of the images that go through, and nothing else changes."""

import copy

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import reestimate

from .networks import Twice

IMAGES = torch.randn(40, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 3 + 1


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.3), nn.Dropout(0.9), nn.Conv2d(4, 2, 4)
    )


def test_one_batch_gives_its_own_statistics():
    net = network()
    assert reestimate(net, [IMAGES]) == 40
    sums = net[0](IMAGES)
    torch.testing.assert_close(net[1].running_mean, sums.mean((0, 2, 3)))
    torch.testing.assert_close(net[1].running_var, sums.var((0, 2, 3)))


@pytest.mark.parametrize("sizes", [[10, 30], [39, 1], [1, 39], [1, 20, 1, 1, 17], [1] * 40])
def test_images_count_alike_however_they_are_divided(sizes):
    net = network()
    assert reestimate(net, IMAGES.split(sizes)) == 40
    torch.testing.assert_close(net[1].running_mean, net[0](IMAGES).mean((0, 2, 3)))


def test_variances_are_weighted_by_images():
    net = network()
    reestimate(net, IMAGES.split([30, 10]))
    expected = [net[0](part).var((0, 2, 3)) for part in IMAGES.split([30, 10])]
    torch.testing.assert_close(net[1].running_var, 0.75 * expected[0] + 0.25 * expected[1])


@pytest.mark.parametrize("sizes", [[40], [10, 30], [10, 10, 20]])
def test_a_norm_that_is_called_twice_averages_both(sizes):
    net = Twice().eval()
    reestimate(net, IMAGES.split(sizes))
    both = torch.cat([net.a(IMAGES), net.b(IMAGES)])
    torch.testing.assert_close(net.norm.running_mean, both.mean((0, 2, 3)))
    calls = [layer(part).var((0, 2, 3)) for layer in (net.a, net.b) for part in IMAGES.split(sizes)]
    weighted = [each * n / 80 for each, n in zip(calls, sizes * 2, strict=True)]
    torch.testing.assert_close(net.norm.running_var, sum(weighted))
    assert not net.norm._forward_pre_hooks
    assert net.norm.momentum == 0.1


def test_a_last_batch_of_one_image_goes_through_norms_of_vectors():
    net = nn.Sequential(nn.Flatten(), nn.Linear(108, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
    assert reestimate(net, IMAGES.split([13, 13, 13, 1])) == 40
    torch.testing.assert_close(net[2].running_mean, net[1](IMAGES.flatten(1)).mean(0))


def test_one_image_is_too_few_and_changes_nothing():
    net = network()
    before = net[1].running_var.clone()
    with pytest.raises(ConfigError, match="at least two, and the step's context gives 1"):
        reestimate(net, [IMAGES[:1]])
    assert torch.equal(net[1].running_var, before)


def test_old_statistics_do_not_count():
    net = network()
    with torch.no_grad():
        net[1].running_mean.fill_(1e6)
    assert reestimate(net, IMAGES.split(10)) == 40
    torch.testing.assert_close(net[1].running_mean, net[0](IMAGES).mean((0, 2, 3)))


def test_nothing_else_changes():
    net = network().eval()
    net[2].train()
    before = copy.deepcopy(dict(net.named_parameters()))
    reestimate(net, [IMAGES])
    assert [module.training for module in net] == [False, False, True, False]
    assert net[1].momentum == 0.3
    assert all(torch.equal(value, before[name]) for name, value in net.named_parameters())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_without_images_statistics_stay_and_the_reason_is_said():
    net = network()
    before = net[1].running_var.clone()
    with pytest.raises(ConfigError, match="needs training images"):
        reestimate(net, [])
    assert torch.equal(net[1].running_var, before)


def test_without_norms_no_image_is_asked_for():
    def batches():
        raise AssertionError("asked")
        yield

    assert reestimate(nn.Sequential(nn.Linear(2, 2)), batches()) == 0
