"""Networks for the benchmark of files: given, trained ones, and shapes with initial weights."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from clusterpress.artifact import load
from clusterpress.clustering import cluster
from clusterpress.codes import Shared, attach, weight_layers
from clusterpress.data.images import ImageSet
from clusterpress.models import MODELS
from clusterpress.runs.compose import compose
from clusterpress.runs.plan import plan
from clusterpress.runs.stages import NETWORK
from clusterpress.steps import Context, EntropyShare
from clusterpress.training.recipe import Recipe

KEEP, VALUES = 0.1, 16
_IMAGENET = ["data.mean=[0.485,0.456,0.406]", "data.std=[0.229,0.224,0.225]"]
# The given networks, and how their training normalised images.
GIVEN = {
    "lenet5": ("lenet5_mnist", ["data=mnist", "data.mean=[0]", f"data.std=[{256 / 255}]"]),
    "resnet56": ("resnet56_cifar10", ["data=cifar10", *_IMAGENET]),
}


@dataclass(frozen=True, eq=False)
class Trained:
    """A given network, and its data where they are at hand."""

    network: nn.Module
    images: ImageSet | None


def trained(name: str) -> Trained | None:
    """Give a given network; None where ``CLUSTERPRESS_WEIGHTS`` has no such file."""
    file, overrides = GIVEN[name]
    folder = os.environ.get("CLUSTERPRESS_WEIGHTS")
    if folder is None or not (Path(folder) / f"{file}.safetensors").is_file():
        return None
    checked = plan(compose([*overrides, f"model={name}", f"model.weights={file}.safetensors"]))
    network = checked.network()
    if checked.weights is not None:
        checked.weights.load(network)
    data = Path(os.environ.get("CLUSTERPRESS_DATA", "/nowhere"))
    at_hand = (data / checked.data.place).is_dir()
    return Trained(network.eval(), checked.data.load(data, download=False) if at_hand else None)


def own_baseline(name: str, data: str) -> nn.Module | None:
    """Give a suite's trained baseline of seed 0; None where the store has none."""
    checked = plan(compose([f"data={data}", f"model={name}"]))
    path = checked.store.expanduser() / "stages" / checked.stage_ids[0] / NETWORK
    return load(path, into=checked.network()).eval() if path.is_file() else None


def alexnet() -> nn.Module:
    """Give torchvision's AlexNet (61.1 million parameters) as a list of layers, initialised."""
    torch.manual_seed(0)
    sizes = ((3, 64, 11), (64, 192, 5), (192, 384, 3), (384, 256, 3), (256, 256, 3))
    convolutions = [nn.Conv2d(*size) for size in sizes]
    linears = [nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000)]
    return nn.Sequential(*convolutions, *linears)


def vgg16() -> nn.Module:
    """Give VGG-16 for 32x32 images (14.7 million weights), initialised."""
    torch.manual_seed(0)
    return MODELS["vgg16"]().eval()


def pruned_and_shared(network: nn.Module, *, exact: bool = True) -> nn.Module:
    """Keep a tenth of each layer's weights, the largest, and let them share 16 values; in place.

    Args:
        network: Dense.
        exact: Whether the values are the best ones; else equally many weights have each.
    """
    for _, layer in weight_layers(network):
        weight = layer.weight.detach()
        sizes = weight.abs().flatten().numpy()
        pruned = int(sizes.size * (1 - KEEP))
        mask = weight.abs() >= float(np.partition(sizes, pruned)[pruned])
        values = weight[mask].numpy()
        if exact:
            found = cluster(values, VALUES, init="optimal", rng=np.random.default_rng(0))
            centers, labels = found.centers, found.labels
        else:
            bounds = np.quantile(values[:100_000], np.arange(1, VALUES) / VALUES)
            labels = np.searchsorted(bounds, values)
            centers = np.array([values[labels == k].mean() for k in range(VALUES)])
        code = Shared(torch.from_numpy(labels).long(), tuple(weight.shape), mask)
        attach(layer, "weight", code, torch.from_numpy(np.asarray(centers)).float())
    return network


def entropy_shared(network: nn.Module, price: float, *, by_layer: bool) -> nn.Module:
    """Let each layer's weights share the values of the shortest file at a price; in place."""
    context = Context(_untrained, torch.empty(0), 0)
    return EntropyShare(price, by_layer=by_layer).apply(network, context)


def _untrained(network: nn.Module, recipe: Recipe) -> None:
    raise AssertionError(f"a step that trains nothing asked for {recipe} on {type(network)}")


def signed_ranks(network: nn.Module) -> Iterator[tuple[str, np.ndarray]]:
    """Give shared weights as whole numbers: 0 where pruned, else their value's rank and sign."""
    for name, layer in weight_layers(network):
        weight = layer.weight.detach().numpy()
        values = np.unique(weight[weight != 0])
        ranks = np.searchsorted(values, weight) - int((values < 0).sum())
        ranks = np.where(ranks >= 0, ranks + 1, ranks)
        yield name, np.where(weight == 0, 0, ranks).astype(np.int32)
