"""Whole networks with shared kernels against dense ones, at batch 1."""

import copy
import csv
import io
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

from clusterpress.artifact import load, read, read_kernels
from clusterpress.codes import Kernels, all_weight_layers, code_of, dense_copy
from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError
from clusterpress.inference import SharedKernelConv2d, accelerate
from clusterpress.models import MODELS
from clusterpress.models.accounting import macs
from clusterpress.models.shared_macs import shared_macs
from clusterpress.runs.provenance import processor
from clusterpress.steps.base import Context
from clusterpress.steps.cluster_kernels import ClusterKernels

NETWORKS = ("vgg16", "resnet18")
SETS = ((4, 1), (16, 1), (32, 1), (64, 1), (128, 1), (32, 8))  # K, transforms.
_ITERATIONS = 2  # Of k-means: latency depends on labels, not on how near the kernels are.
_WARM = 3
TRAINED = ", trained"


@dataclass(frozen=True)
class NetworkRow:
    """What a network took for one image.

    Attributes:
        network: Its name.
        kernels: The point's name as in Son et al. (2018): C32-TIC8 and so on; ``TRAINED`` behind
            it where the network was read from a file.
        threads: Threads of torch.
        machine: Name of the processor.
        versions: Of the packages that compute.
        macs: Of the dense network.
        shared_macs: Of the network with shared kernels.
        forms: How many layers got which form.
        dense: Least wall-clock time of the fastest dense form, seconds.
        seconds: The same of the accelerated network.
    """

    network: str
    kernels: str
    threads: int
    machine: str
    versions: str
    macs: int
    shared_macs: int
    forms: str
    dense: float
    seconds: float


def network_rows(quick: bool, rounds: int) -> Iterator[NetworkRow]:
    """Time every network with every set; one tiny network when ``quick``."""
    for name in ("resnet20",) if quick else NETWORKS:
        for kinds in SETS[:1] if quick else SETS:
            yield network_row(name, kinds, rounds)


def network_row(name: str, kinds: tuple[int, int], rounds: int) -> NetworkRow:
    """Time one network of initialised weights."""
    torch.manual_seed(0)
    network, x = MODELS[name]().eval(), torch.randn(1, 3, 32, 32)
    step = ClusterKernels(
        k=kinds[0], transforms=kinds[1], init="random", max_iterations=_ITERATIONS
    )
    dense = copy.deepcopy(network)
    step.apply(network, Context(train=_untrained, example=x, clustering=0))
    return _timed(name, _set_name(*kinds), (dense, network), x, rounds)


def file_row(path: Path, rounds: int) -> NetworkRow:
    """Time the network of a file, one of ours for 32x32 images with one set of shared kernels.

    Raises:
        ArtifactError: The file cannot be read.
        ConfigError: It holds no such network.
    """
    books, architecture = read_kernels(path), read(path).architecture
    if architecture is None:
        raise ConfigError(f"{path} does not say which network it holds; a run's file does")
    if len(books) != 1:
        raise ConfigError(f"{path} holds {len(books)} sets of shared kernels, and one is timed")
    network = load(path).eval()
    codes = (code_of(layer) for _, layer in all_weight_layers(network))
    turns = max(code.transform_count for code in codes if isinstance(code, Kernels))
    name = _set_name(len(books[0].centroids), turns) + TRAINED
    pair = (dense_copy(network).eval(), network)
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    try:
        pair[0](x)
    except RuntimeError as error:
        raise ConfigError(f"{path} takes no image of 3x32x32: {error}") from error
    return _timed(str(architecture["name"]), name, pair, x, rounds)


def _set_name(centroids: int, transforms: int) -> str:
    return f"C{centroids}" + (f"-TIC{transforms}" if transforms > 1 else "")


def _timed(
    name: str, kernels: str, pair: tuple[nn.Module, nn.Module], x: torch.Tensor, rounds: int
) -> NetworkRow:
    """Time a network, dense in three forms and accelerated, in turn in every round."""
    dense, network = pair
    fast = accelerate(network)
    fused: Any = fuse(copy.deepcopy(dense))
    lined = copy.deepcopy(fused).to(memory_format=torch.channels_last)
    works = {"eager": dense, "fused": fused, "channels-last": lined, "shared": fast}
    with torch.inference_mode():
        took = _least({key: _bound(work, x) for key, work in works.items()}, rounds)
        forms = _forms(fast, x)
    where = (torch.get_num_threads(), processor(), _versions())
    counts = (macs(dense, x), shared_macs(network, x))
    seconds = took.pop("shared")
    return NetworkRow(name, kernels, *where, *counts, forms, min(took.values()), seconds)


def _untrained(_network: nn.Module, _recipe: object) -> None:
    raise RuntimeError("clustering kernels trains nothing")


def _bound(network: nn.Module, x: torch.Tensor) -> Callable[[], object]:
    return lambda: network(x)


def _least(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    for work in works.values():
        for _ in range(_WARM):
            work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begin)
    return {name: min(times) for name, times in seconds.items()}


def _forms(network: nn.Module, x: torch.Tensor) -> str:
    """Count the forms that the shared layers chose for what they see."""
    found: Counter[str] = Counter()

    def note(layer: nn.Module, inputs: Any, _output: Any) -> None:
        assert isinstance(layer, SharedKernelConv2d)
        found[layer.chosen(inputs[0]).value] += 1

    layers = [each for each in network.modules() if isinstance(each, SharedKernelConv2d)]
    handles = [layer.register_forward_hook(note) for layer in layers]
    network(x)
    for handle in handles:
        handle.remove()
    return "; ".join(f"{count} {form}" for form, count in sorted(found.items()))


def _versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("torch", "numba", "llvmlite", "numpy"))


def alike(one: NetworkRow, other: NetworkRow) -> bool:
    """Whether two rows were measured on one kind of machine by one set of packages."""
    where = ("machine", "threads", "versions")
    return all(getattr(one, name) == getattr(other, name) for name in where)


def write_networks(path: Path, rows: Sequence[NetworkRow]) -> None:
    """Write the rows as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(NetworkRow))
    writer.writerows((*astuple(row)[:-2], f"{row.dense:.4g}", f"{row.seconds:.4g}") for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.getvalue().encode())


def read_networks(path: Path) -> list[NetworkRow]:
    """Read the rows of a CSV file that ``write_networks`` wrote."""
    kinds: dict[str, Callable[[str], Any]] = {
        "threads": int, "macs": int, "shared_macs": int, "dense": float, "seconds": float,
    }  # fmt: skip
    with path.open(newline="") as file:
        return [
            NetworkRow(**{name: kinds.get(name, str)(text) for name, text in line.items()})
            for line in csv.DictReader(file)
        ]
