"""Ratios that papers print for ImageNet's networks, from the shapes of torchvision's alone."""

import pytest
import torch
from torch import nn

from clusterpress.artifact import CONVENTIONS, Ledger
from clusterpress.ledger import Row
from clusterpress.models import MODELS

from . import shapes
from .test_son2018_counts import counted

# Caffe's AlexNet, whose 2nd, 4th and 5th convolutions have two groups (Krizhevsky et al. 2012).
CAFFE = {
    "conv1": (96, 3, 11, 11),
    "conv2": (256, 48, 5, 5),
    "conv3": (384, 256, 3, 3),
    "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3),
    "fc6": (4096, 9216),
    "fc7": (4096, 4096),
    "fc8": (1000, 4096),
}


def network(name: str) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name]()


def shared_fc(found: dict[str, tuple[tuple[int, ...], str, str]], bits: int) -> Ledger:
    """A network whose linear layers share 2^bits values each; all else is dense."""
    rows: list[Row] = []
    for name, (shape, kind, part) in found.items():
        count = torch.Size(shape).numel()
        if (kind, part) == ("fc", "dense"):
            rows.append(shapes.symbols(name, kind, count, 1 << bits))
            rows.append(shapes.floats(name, kind, "codebook", 1 << bits))
        else:
            rows.append(shapes.floats(name, kind, part, count))
    return shapes.ledger(rows, {name: shape for name, (shape, _, _) in found.items()})


@pytest.mark.parametrize(
    ("name", "bits", "fc", "whole", "with_biases"),
    [
        ("torchvision_alexnet", 4, "8.00", "6.24", "6.23"),
        ("torchvision_alexnet", 5, "6.40", "5.25", "5.25"),
        ("torchvision_vgg16", 4, "8.00", "4.59", "4.58"),
    ],
)
def test_wu2019_of_torchvisions_networks(
    name: str, bits: int, fc: str, whole: str, with_biases: str
) -> None:
    ledger = shared_fc(shapes.parameters(network(name)), bits)
    found = [f"{CONVENTIONS[c](ledger):.2f}" for c in ("fc_only", "han2016", "weights")]
    assert found == [fc, whole, with_biases]


@pytest.mark.parametrize(("bits", "fc", "whole"), [(4, "8.00", "6.31"), (5, "6.40", "5.30")])
def test_wu2019_of_caffes_grouped_alexnet(bits: int, fc: str, whole: str) -> None:
    found = {f"{n}.weight": (s, n.rstrip("0123456789"), "dense") for n, s in CAFFE.items()}
    ledger = shared_fc(found, bits)
    assert f"{CONVENTIONS['fc_only'](ledger):.2f}" == fc
    assert f"{CONVENTIONS['han2016'](ledger):.2f}" == whole


@pytest.mark.parametrize(
    ("k", "scale_bits", "ratio"),
    [(64, 16, "12.0"), (256, 16, "11.1"), (1024, 16, "10.3"), (1024, 0, "23.6")],
)
def test_son2018_of_torchvisions_resnet18(k: int, scale_bits: int, ratio: str) -> None:
    """With the first convolution's own set of 64 kernels of 7x7 and a codebook of 16 bits."""
    state = network("torchvision_resnet18").state_dict()
    own = {name: tuple(value.shape) for name, value in state.items() if value.ndim == 4}
    assert own["conv1.weight"] == (64, 3, 7, 7)
    found = counted(own, k, codebook_bits=16, scale_bits=scale_bits, sets={7: 64})
    assert f"{found:.1f}" == ratio


def quantised(large: bool, k: int = 256, fc: int = 2048) -> Ledger:
    """ResNet-18 in blocks as Stock et al. 2020 cut it; its first convolution stays dense."""
    rows: list[Row] = []
    found = shapes.parameters(network("torchvision_resnet18"))
    for name, (shape, kind, part) in found.items():
        count = torch.Size(shape).numel()
        block = {3: 18 if large else 9, 1: 4}.get(shape[-1] if len(shape) == 4 else 0, 0)
        block = 4 if (kind, part) == ("fc", "dense") else block
        if not block:
            rows.append(shapes.floats(name, kind, part, count))
            continue
        centers = fc if kind == "fc" else k
        rows.append(shapes.symbols(name, kind, count // block, centers, of="product"))
        rows.append(shapes.floats(name, kind, "codebook", centers * block, of="product"))
        layout = (name, name.rpartition(".")[0], kind, "transform", 1, 1 << 16, 16, 0.0, 1, 2)
        rows.append(Row(*layout, kind="product"))
    return shapes.ledger(rows, {name: shape for name, (shape, _, _) in found.items()})


@pytest.mark.parametrize(("large", "ratio", "mib"), [(False, 29, "1.54"), (True, 43, "1.03")])
def test_stock2020_of_resnet18(large: bool, ratio: int, mib: str) -> None:
    found = CONVENTIONS["stock2020"](quantised(large))
    assert round(found) == ratio
    assert f"{11_689_512 * 4 / 2**20 / found:.2f}" == mib


def test_stock2020_and_deep_kmeans_by_hand() -> None:
    """A convolution of 8 blocks of 9 and 4 centres, a norm, a linear layer 6 -> 2 with a bias."""
    rows = [
        Row("c.weight", "c", "conv", "index", 8, 4, 16, 14.5, 15, 3, kind="product"),
        shapes.floats("c.weight", "conv", "codebook", 36, of="product"),
        shapes.floats("n.weight", "other", "norm", 4),
        shapes.floats("f.weight", "fc", "dense", 12),
        shapes.floats("f.bias", "fc", "bias", 2),
    ]
    sizes = {"c.weight": (4, 2, 3, 3), "n.weight": (4,), "f.weight": (2, 6), "f.bias": (2,)}
    ledger = shapes.ledger(rows, sizes)
    parameters, dense = 72 + 4 + 14, 32 * 14
    assert CONVENTIONS["stock2020"](ledger) == pytest.approx(
        32 * parameters / (8 * 2 + 16 * 36 + 32 * 4 + dense)
    )
    assert CONVENTIONS["deep_kmeans"](ledger) == pytest.approx(
        32 * (72 + 14) / (14.5 + 32 * 36 + dense)
    )


@pytest.mark.parametrize("name", ["stock2020", "deep_kmeans"])
def test_a_dense_network_is_its_own_size(name: str) -> None:
    found = shapes.parameters(network("torchvision_resnet18"))
    rows = [shapes.floats(n, k, p, torch.Size(s).numel()) for n, (s, k, p) in found.items()]
    assert CONVENTIONS[name](shapes.ledger(rows, {n: s for n, (s, _, _) in found.items()})) == 1
