"""Small coded networks for the tests of the artifact."""

import torch
from torch import nn

from clusterpress.codes import Binary, Hashed, Masked, Product, Quantized, Shared, Ternary, attach


class Small(nn.Module):
    """A convolution, a norm with buffers, and two linear layers, for 1x6x6 images."""

    def __init__(self, filters: int = 4, hidden: int = 12) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, filters, 3)
        self.norm = nn.BatchNorm2d(filters)
        self.ip1 = nn.Linear(filters * 16, hidden)
        self.ip2 = nn.Linear(hidden, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.norm(self.conv(images)).flatten(1)
        logits: torch.Tensor = self.ip2(torch.relu(self.ip1(features)))
        return logits


def mask_like(weight: torch.Tensor, keep: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(weight.shape, generator=generator) < keep


def masked(layer: nn.Module, keep: float = 0.3) -> None:
    weight = layer.weight.detach().clone()
    attach(layer, "weight", Masked(mask_like(weight, keep)), weight)


def shared(
    layer: nn.Module, k: int = 8, keep: float | None = None, dtype: torch.dtype = torch.float32
) -> None:
    shape = tuple(layer.weight.shape)
    mask = None if keep is None else mask_like(layer.weight, keep)
    kept = layer.weight.numel() if mask is None else int(mask.sum())
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(max(k, 1), (kept,), generator=generator)
    attach(layer, "weight", Shared(labels, shape, mask, dtype), torch.linspace(-1, 1, k) / 3)


def dense_network() -> Small:
    return Small().eval()


def masked_network() -> Small:
    network = dense_network()
    for layer in (network.conv, network.ip1, network.ip2):
        masked(layer)
    return network


def shared_network() -> Small:
    network = dense_network()
    for layer in (network.conv, network.ip1, network.ip2):
        shared(layer)
    return network


def mixed_network() -> Small:
    network = dense_network()
    masked(network.conv, 0.6)
    shared(network.ip1, 16, 0.2)
    shared(network.ip2, 4, None, torch.float16)
    return network


def signed_network() -> Small:
    network = dense_network()
    weights = [layer.weight.detach() for layer in (network.conv, network.ip1)]
    attach(network.conv, "weight", Binary((weights[0] > 0).long()), torch.rand(4))
    attach(network.ip1, "weight", Ternary((weights[1].sign() + 1).long()), torch.rand(2))
    labels = torch.arange(36).reshape(3, 12) % 15
    attach(network.ip2, "weight", Quantized(labels, 15, affine=True), torch.rand(2, 3))
    return network


def block_network() -> Small:
    network = dense_network()
    blocks = torch.arange(12 * 16) % 5
    attach(
        network.conv, "weight", Product(torch.arange(4) % 2, (4, 1, 3, 3), 1), torch.rand(1, 2, 9)
    )
    attach(network.ip1, "weight", Product(blocks, (12, 64), 16), torch.rand(16, 5, 4))
    attach(network.ip2, "weight", Hashed((3, 12), 9, 4), torch.rand(9))
    return network


NETWORKS = {
    "signed": signed_network,
    "blocks": block_network,
    "dense": dense_network,
    "masked": masked_network,
    "shared": shared_network,
    "mixed": mixed_network,
}
