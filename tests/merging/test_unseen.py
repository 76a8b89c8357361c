"""Networks whose output sees neurons by more than the layers that read them."""

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import hidden_layers

EXAMPLE = torch.zeros(1, 6)


def _unrecorded(h, net):
    with torch.no_grad():
        return h.sum(1, keepdim=True)


SEEN = {
    "detached": lambda h, net: h.detach().sum(1, keepdim=True),
    "the first": lambda h, net: h.detach()[:, :1],
    "the last": lambda h, net: h.detach()[:, -1:],
    "the largest": lambda h, net: h.detach().amax(1, keepdim=True),
    "a number": lambda h, net: h.sum().item(),
    "unrecorded": _unrecorded,
    "a width": lambda h, net: h.shape[1] / 4,
    "a layer's width": lambda h, net: net.two.out_features / 4,
    "weights": lambda h, net: net.two.weight.sum(),
}
UNSEEN = {
    "nothing": lambda h, net: 0.0,
    "its shape": lambda h, net: torch.zeros(h.shape[0], 1),
    "a reader's bias": lambda h, net: net.three.bias.sum(),
    "a jump": lambda h, net: (1e9 * net.three(h).sum(1, keepdim=True)).sin(),
    "noise": lambda h, net: torch.randn(1),
    "noise of its shape": lambda h, net: torch.randn(h.shape).sum() + torch.randn(1),
    "what is not finite": lambda h, net: float("nan"),
}


class Net(nn.Module):
    def __init__(self, more):
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two, self.three = nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)
        self.more = more

    def forward(self, x):
        h = self.two(self.one(x).relu()).relu()
        return self.three(h) + self.more(h, self)


@pytest.mark.parametrize("more", SEEN.values(), ids=SEEN)
def test_neurons_that_the_output_sees_by_more_than_their_readers_are_refused(more):
    net = Net(more)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(ConfigError, match=r"layer 'two' cannot .* read them \(three\)"):
        hidden_layers(net, EXAMPLE)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert net.training


@pytest.mark.parametrize("more", UNSEEN.values(), ids=UNSEEN)
def test_what_does_not_see_them_or_tells_nothing_is_taken(more):
    assert [layer.name for layer in hidden_layers(Net(more), EXAMPLE)] == ["one", "two"]


def test_a_layer_of_a_width_that_forward_names_hides_no_other():
    net = Net(lambda h, net: h.detach().sum(1, keepdim=True) * net.one.weight.view(5, -1).shape[0])
    with pytest.raises(ConfigError, match="layer 'two'"):
        hidden_layers(net, EXAMPLE)


def test_what_a_forward_keeps_and_the_random_state_of_others_disturb_nothing():
    net = Net(lambda h, net: setattr(net, "features", h) or 0.0)
    assert len(hidden_layers(net, EXAMPLE)) == 2
    state = torch.random.get_rng_state()
    hidden_layers(net, EXAMPLE)
    assert torch.equal(torch.random.get_rng_state(), state)
