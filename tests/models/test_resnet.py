import torch
from torch import nn

from clusterpress.models import ResNet18, ResNet20
from clusterpress.models.resnet import Block, PaddedShortcut


def test_shortcut_a_takes_every_other_pixel_and_pads_both_sides_with_zeros() -> None:
    features = torch.randn(2, 4, 6, 6)
    out = PaddedShortcut(4, 2)(features)
    assert out.shape == (2, 8, 3, 3)
    assert torch.equal(out[:, 2:6], features[:, :, ::2, ::2])
    assert not out[:, :2].any()
    assert not out[:, 6:].any()


def test_a_block_whose_last_norm_is_zero_passes_its_input_on() -> None:
    block = Block(4, 4, 1, projected=False).eval()
    nn.init.zeros_(block.bn2.weight)
    features = torch.rand(2, 4, 6, 6)
    assert torch.equal(block(features), features)


def test_only_resnet18_has_weights_in_its_shortcuts() -> None:
    assert not [key for key in ResNet20().state_dict() if "shortcut" in key]
    shortcuts = {key.rsplit(".", 2)[0] for key in ResNet18().state_dict() if "shortcut" in key}
    assert shortcuts == {f"layer{number}.0.shortcut" for number in (2, 3, 4)}


def test_state_keys_are_stable() -> None:
    convolutions = {key for key in ResNet20().state_dict() if "conv" in key}
    inner = {
        f"layer{group}.{block}.conv{number}.weight"
        for group in (1, 2, 3)
        for block in range(3)
        for number in (1, 2)
    }
    assert convolutions == {"conv1.weight"} | inner
    assert {"fc.weight", "fc.bias", "bn1.running_mean"} <= set(ResNet20().state_dict())
