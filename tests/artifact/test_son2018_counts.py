"""The ratios that son2018 prints, from the shapes of the networks alone."""

import pytest
import torch

from clusterpress.artifact import CONVENTIONS, Ledger
from clusterpress.ledger import Row
from clusterpress.models import MODELS
from clusterpress.models.vgg import WIDTHS


def counted(
    shapes: dict[str, tuple[int, ...]],
    k: int,
    *,
    codebook_bits: int = 32,
    scale_bits: int = 16,
    transforms: int = 1,
    sets: dict[int, int] | None = None,
    reference: dict[str, int] | None = None,
) -> float:
    """Give the ratio by ``son2018`` of convolutions of these shapes, all clustered but 1x1."""
    rows, seen = [], set()
    for name, (out, of, height, width) in shapes.items():
        n = out * of
        head = (name, name.removesuffix(".weight"), "conv")
        if height * width == 1:
            rows.append(Row(*head, "dense", n, None, 32 * n, 32.0 * n, 32 * n, 4 * n))
            continue
        centroids = (sets or {}).get(height, k)
        rows.append(Row(*head, "index", n, centroids, 0, 0.0, 0, 0, kind="kernels"))
        if transforms > 1:
            rows.append(Row(*head, "transform", n, transforms, 0, 0.0, 0, 0, kind="kernels"))
        if scale_bits:
            bits = scale_bits * n
            rows.append(Row(*head, "scale", n, None, bits, 0.0, 0, 0, kind="kernels"))
        if height not in seen:
            values = centroids * height * width
            bits = codebook_bits * values
            rows.append(Row(*head, "codebook", values, None, bits, 0.0, 0, 0, kind="kernels"))
            seen.add(height)
    full = reference or {name: int(torch.Size(shape).numel()) for name, shape in shapes.items()}
    return CONVENTIONS["son2018"](Ledger(tuple(rows), 0, full, shapes, 5))


def vgg16(halved: tuple[int, ...] = ()) -> dict[str, tuple[int, ...]]:
    widths = [w for w, depth in zip(WIDTHS, (2, 2, 3, 3, 3), strict=True) for _ in range(depth)]
    widths = [w // 2 if i in halved else w for i, w in enumerate(widths, 1)]
    pairs = zip([3, *widths], widths, strict=False)
    return {f"conv{i}.weight": (out, of, 3, 3) for i, (of, out) in enumerate(pairs, 1)}


def resnet18() -> dict[str, tuple[int, ...]]:
    """The convolutions of ImageNet's ResNet-18."""
    shapes, width = {"conv1.weight": (64, 3, 7, 7)}, 64
    for group, out in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            shapes[f"{group}.{block}.a.weight"] = (out, width, 3, 3)
            shapes[f"{group}.{block}.b.weight"] = (out, out, 3, 3)
            if width != out:
                shapes[f"{group}.{block}.down.weight"] = (out, width, 1, 1)
            width = out
    return shapes


def test_the_shapes_are_those_of_the_networks() -> None:
    network = MODELS["vgg16"]()
    own = {n: tuple(t.shape) for n, t in network.state_dict().items() if t.ndim == 4}
    assert own == vgg16()
    elements = sum(torch.Size(shape).numel() for shape in own.values())
    assert f"{4 * elements / 1e6:.2f}" == "58.84"


@pytest.mark.parametrize(
    ("k", "transforms", "ratio"),
    [
        (512, 1, "11.5"),
        (256, 1, "12.0"),
        (128, 1, "12.5"),
        (64, 1, "13.1"),
        (128, 2, "12.0"),
        (64, 4, "12.0"),
        (32, 8, "12.0"),
    ],
)
def test_the_papers_ratios_of_vgg16(k: int, transforms: int, ratio: str) -> None:
    assert f"{counted(vgg16(), k, transforms=transforms):.1f}" == ratio


def test_the_papers_ratio_of_pruned_vgg16() -> None:
    pruned = vgg16(halved=(1, 8, 9, 10, 11, 12, 13))
    full = {name: int(torch.Size(shape).numel()) for name, shape in vgg16().items()}
    kept = sum(torch.Size(shape).numel() for shape in pruned.values())
    assert f"{sum(full.values()) / kept:.2f}" == "2.80"
    assert f"{counted(pruned, 512, reference=full):.1f}" == "31.9"


@pytest.mark.parametrize(
    ("k", "scale_bits", "ratio"), [(256, 16, "11.12"), (1024, 16, "10.30"), (1024, 0, "23.58")]
)
def test_the_papers_ratios_of_resnet18(k: int, scale_bits: int, ratio: str) -> None:
    found = counted(resnet18(), k, codebook_bits=16, scale_bits=scale_bits, sets={7: 64})
    assert f"{found:.2f}" == ratio
