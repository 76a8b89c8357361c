import torch
from torch import nn

from clusterpress.models import AlexNet32


def test_the_linear_layers_hold_nine_tenths_of_the_parameters() -> None:
    network = AlexNet32()
    linear = [layer for layer in network.children() if isinstance(layer, nn.Linear)]
    assert [layer.in_features for layer in linear] == [1024, 4096, 4096]
    held = sum(parameter.numel() for layer in linear for parameter in layer.parameters())
    assert held == 21_020_682


def test_dropout_is_there_in_training_only() -> None:
    network, image = AlexNet32(), torch.randn(1, 3, 32, 32)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


def test_state_keys_are_stable() -> None:
    layers = [*(f"conv{number}" for number in range(1, 6)), "fc1", "fc2", "fc3"]
    expected = [f"{layer}.{key}" for layer in layers for key in ("weight", "bias")]
    assert list(AlexNet32().state_dict()) == expected
