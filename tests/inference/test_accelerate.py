"""An accelerated network gives what the network gives; what it cannot speed up stays."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from clusterpress.errors import ConfigError
from clusterpress.inference import SharedKernelConv2d, accelerate, from_layer, shared_form
from clusterpress.models import MODELS


class Coded(nn.Module):
    """What ``accelerate`` reads of a code: nothing but these names."""

    def __init__(self, centroids, labels, transforms):
        super().__init__()
        self.centroids = nn.Parameter(centroids)
        self.register_buffer("labels", labels)
        self.register_buffer("transforms", transforms)

    def forward(self, scales):
        turned = torch.stack([self.centroids, self.centroids.flip(1)], 1)
        kernels = turned[self.labels, self.transforms]
        return (scales[..., None] * kernels).unflatten(2, (3, 3))

    def right_inverse(self, weight):
        return weight[:, :, 1, 1]


def share(network, k, seed=0):
    """Give every convolution's kernels one of ``k`` shapes, as a dense weight."""
    rng = torch.Generator().manual_seed(seed)
    kernels = torch.randn(k, 3, 3, generator=rng)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            o, i = layer.weight.shape[:2]
            scales = torch.randn(o, i, 1, 1, generator=rng) / i**0.5
            labels = torch.randint(0, k, (o, i), generator=rng)
            layer.weight.data = scales * kernels[labels]
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(generator=rng)
            layer.running_var.uniform_(0.5, 2, generator=rng)
    return network.eval()


def close(ours, reference):
    return float((ours - reference).abs().max()) <= 1e-5 * float(reference.abs().max())


def test_a_resnet_gives_the_same_and_its_norms_and_relus_are_inside():
    network = share(MODELS["resnet20"](), 4)
    fast = accelerate(network)
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        assert close(fast(x), network(x))
    kinds = [type(module) for module in fast.modules()]
    assert SharedKernelConv2d in kinds
    assert not [node for node in fast.graph.nodes if "bn" in str(node.target)]
    assert any(m.rectified for m in fast.modules() if isinstance(m, SharedKernelConv2d))
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


def test_a_code_is_read_by_its_names():
    rng = torch.Generator().manual_seed(0)
    layer = nn.Conv2d(6, 5, 3, padding=1, stride=2)
    labels = torch.randint(0, 3, (5, 6), generator=rng)
    transforms = torch.randint(0, 2, (5, 6), generator=rng)
    code = Coded(torch.randn(3, 9, generator=rng), labels, transforms)
    parametrize.register_parametrization(layer, "weight", code)
    kernels, found, scales = shared_form(layer)
    assert len(kernels) == len(
        {*zip(labels.ravel().tolist(), transforms.ravel().tolist(), strict=True)}
    )
    rebuilt = kernels[found] * scales[:, :, None, None]
    assert np.allclose(rebuilt, layer.weight.detach().numpy(), atol=1e-6)
    x = torch.randn(1, 6, 9, 9, generator=rng)
    with torch.inference_mode():
        assert close(accelerate(nn.Sequential(layer).eval())(x), layer(x))
    assert parametrize.is_parametrized(layer)


def test_equal_kernels_are_found_whatever_their_scales_and_zeros_are_left_out():
    layer = share(nn.Sequential(nn.Conv2d(40, 30, 3)), 5)[0]
    layer.weight.data[:3, :4] = 0
    kernels, labels, scales = shared_form(layer)
    assert len(kernels) <= 5 + 3  # The rounding may tell a kernel from itself, seldom.
    assert not scales[:3, :4].any()
    rebuilt = kernels[labels] * scales[:, :, None, None]
    assert np.allclose(rebuilt, layer.weight.detach().numpy(), atol=1e-5)


def test_what_shares_nothing_stays_dense():
    assert shared_form(nn.Conv2d(3, 4, 1)) is None
    assert from_layer(nn.Conv2d(3, 4, 3)) is None
    network = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 1)).eval()
    assert not any(isinstance(m, SharedKernelConv2d) for m in accelerate(network).modules())


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"groups": 2}, "groups = 2"),
        ({"groups": 4}, "groups = 4"),
        ({"dilation": 2}, "dilation"),
        ({"stride": (1, 2)}, "strides"),
        ({"padding": 1, "padding_mode": "reflect"}, "reflect"),
        ({"padding": "same"}, "same"),
    ],
)
def test_other_convolutions_are_refused_with_the_reason(named, said):
    with pytest.raises(ConfigError, match=said):
        from_layer(nn.Conv2d(4, 4, 3, **named))


class Circular(nn.Conv2d):
    """Convolves its own way, behind torch's ``forward``."""

    def _conv_forward(self, x, weight, bias):
        padded = nn.functional.pad(x, (1,) * 4, "circular")
        return nn.functional.conv2d(padded, weight, bias)


def test_a_convolution_of_its_own_kind_keeps_what_it_computes():
    torch.manual_seed(0)
    plain = nn.Conv2d(8, 8, 3, padding=1)
    plain._conv_forward = lambda x, weight, bias: x * weight.mean() + bias.mean()
    network = nn.Sequential(Circular(3, 8, 3, padding=1), plain).eval()
    for layer in network:
        layer.weight.data = layer.weight.data[:1, :1].expand_as(layer.weight).clone()
    x = torch.randn(2, 3, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(accelerate(network)(x), network(x))


def test_a_network_that_trains_or_cannot_be_traced_is_refused():
    with pytest.raises(ConfigError, match="eval"):
        accelerate(nn.Sequential(nn.Conv2d(3, 3, 3)))

    class Branch(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(ConfigError, match="cannot trace Branch"):
        accelerate(Branch().eval())


class Twice(nn.Module):
    """One convolution called twice, with what follows different at each call."""

    def __init__(self, form):
        super().__init__()
        self.conv, self.form = nn.Conv2d(8, 8, 3, padding=1), form
        self.bn1, self.bn2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)

    def forward(self, x):
        if self.form == "a ReLU after the first":
            return self.conv(torch.relu(self.conv(x)))
        if self.form == "a norm after the first":
            return self.conv(self.bn1(self.conv(x)))
        return self.bn2(self.conv(self.bn1(self.conv(x))))


@pytest.mark.parametrize(
    "form", ["a ReLU after the first", "a norm after the first", "a norm after each"]
)
def test_a_convolution_used_twice_keeps_what_follows_each_use_apart(form):
    network = share(Twice(form), 4)
    x = torch.randn(2, 8, 9, 9)
    fast = accelerate(network)
    assert sum(isinstance(module, SharedKernelConv2d) for module in fast.modules()) == 2
    with torch.inference_mode():
        assert close(fast(x), network(x))


def test_an_accelerated_network_can_be_copied_and_pickled():
    network = share(MODELS["resnet20"](), 4)
    fast, x = accelerate(network), torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        wanted = fast(x)
        for again in (copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
            assert close(again(x), wanted)
