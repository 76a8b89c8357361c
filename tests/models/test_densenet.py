import torch
from torch import nn

from clusterpress.models import DenseNet40, DenseNetBc100
from clusterpress.models.densenet import BottleneckLayer, Layer, Transition


def test_what_comes_into_a_layer_goes_on() -> None:
    features = torch.randn(2, 24, 8, 8)
    for kind in (Layer, BottleneckLayer):
        out = kind(24)(features)
        assert out.shape == (2, 36, 8, 8)
        assert torch.equal(out[:, :24], features)


def test_widths_grow_by_12_and_bc_halves_them() -> None:
    def transitions(network: nn.Module) -> list[tuple[int, int]]:
        found = [each.conv for each in network.modules() if isinstance(each, Transition)]
        return [(each.in_channels, each.out_channels) for each in found]

    assert transitions(DenseNet40()) == [(168, 168), (312, 312)]
    assert transitions(DenseNetBc100()) == [(216, 108), (300, 150)]
    assert (DenseNet40().fc.in_features, DenseNetBc100().fc.in_features) == (456, 342)


def test_state_keys_are_stable() -> None:
    keys = list(DenseNet40().state_dict())
    assert keys[:2] == ["conv1.weight", "groups.0.bn.weight"]
    assert keys[-2:] == ["fc.weight", "fc.bias"]
    assert "groups.37.conv.weight" in keys
    assert "groups.12.conv.weight" in keys
