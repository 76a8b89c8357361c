"""Time shared-kernel layers against dense ones: ``python -m clusterpress.bench.inference``."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from torch.nn import functional

from clusterpress.bench.inference_networks import (
    TRAINED,
    NetworkRow,
    alike,
    file_row,
    network_rows,
    read_networks,
    write_networks,
)
from clusterpress.bench.inference_page import page
from clusterpress.bench.inference_rows import LayerRow, read_layers, write_layers
from clusterpress.clustering import square_turns
from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError
from clusterpress.inference import Order, SharedKernelConv2d, SharedKernels
from clusterpress.runs.provenance import processor

OUTPUT = Path("results/bench/inference.csv")
LAYERS = (  # Inputs, outputs, height and width: VGG-16's on 32x32 images, and the issue's example.
    (64, 64, 32),
    (64, 128, 16),
    (128, 128, 16),
    (128, 256, 8),
    (256, 256, 8),
    (256, 512, 4),
    (512, 512, 4),
    (512, 512, 2),
)
KERNELS = ((4, 1), (16, 1), (32, 1), (64, 1), (128, 1), (256, 1), (32, 8))  # K, transforms.
BATCHES = (1, 8)
_ROUNDS = 21
_WARM = 3


def layer_rows(
    size: tuple[int, int, int], kinds: tuple[int, int], batch: int, rounds: int
) -> list[LayerRow]:
    """Time all forms of a layer, one after the other in every round; the least."""
    works, orders = _works(size, kinds, batch)
    for _ in range(_WARM):
        for work in works.values():
            work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begin)
    inputs, outputs, side = size
    where = (
        inputs,
        outputs,
        side,
        batch,
        kinds[0] * kinds[1],
        kinds[1],
        torch.get_num_threads(),
        processor(),
    )
    return [
        LayerRow(*where, name, orders.get(name, 0) * side**2, min(times))
        for name, times in seconds.items()
    ]


def _works(
    size: tuple[int, int, int], kinds: tuple[int, int], batch: int
) -> tuple[dict[str, Callable[[], torch.Tensor]], dict[str, int]]:
    """Give the forms of a layer by name, and their multiplications for every output position."""
    rng = np.random.default_rng(0)
    inputs, outputs, side = size
    kernels = rng.standard_normal((kinds[0], 3, 3))
    if kinds[1] > 1:
        turned = kernels.reshape(-1, 9)[:, square_turns(3)[: kinds[1]]]
        kernels = turned.reshape(-1, 3, 3)
    labels = rng.integers(0, len(kernels), (outputs, inputs))
    shared = SharedKernels(kernels, labels, rng.standard_normal(labels.shape), np.zeros(outputs))
    x = torch.from_numpy(rng.standard_normal((batch, inputs, side, side)).astype(np.float32))
    works: dict[str, Callable[[], torch.Tensor]] = {}
    macs: dict[str, int] = {}
    for order in (Order.ADD_FIRST, Order.CONVOLVE_FIRST):
        layer = SharedKernelConv2d(shared, padding=(1, 1), order=order).eval()
        works[order.value], macs[order.value] = _bound(layer, x), layer.multiplications(order)
    dense = SharedKernelConv2d(shared, padding=(1, 1), order=Order.DENSE)
    for name, order_in_memory in _MEMORY.items():
        form = (dense.weight.to(memory_format=order_in_memory), dense.offset, 1, 1)
        works[name] = _dense(x.to(memory_format=order_in_memory), form)
        macs[name] = dense.multiplications(Order.DENSE)
    return works, macs


_MEMORY = {
    "dense, contiguous": torch.contiguous_format,
    "dense, channels-last": torch.channels_last,
}


def _bound(layer: SharedKernelConv2d, x: torch.Tensor) -> Callable[[], torch.Tensor]:
    return lambda: layer(x)


def _dense(
    x: torch.Tensor, form: tuple[torch.Tensor, torch.Tensor, int, int]
) -> Callable[[], torch.Tensor]:
    return lambda: functional.conv2d(x, *form)


def _cases(quick: bool) -> Iterator[tuple[tuple[int, int, int], tuple[int, int], int]]:
    for batch in BATCHES[:1] if quick else BATCHES:
        for size in ((8, 8, 4),) if quick else LAYERS:
            for kinds in KERNELS[:1] if quick else KERNELS:
                yield size, kinds, batch


def main(
    quick: Annotated[bool, typer.Option("--quick", help="One tiny layer.")] = False,
    output: Annotated[Path | None, typer.Option(help=f"CSV; {OUTPUT}, none for --quick.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(help="Time the networks of these files alone; the other rows stay."),
    ] = None,
) -> None:
    """Measure every layer, and write the CSV and a page made of it."""
    console = Console(highlight=False, markup=False)
    path, rows = output or (None if quick else OUTPUT), []
    if file:
        _add_files(path, file, 1 if quick else _ROUNDS, console)
        return
    trained = _trained(path)
    networks: list[NetworkRow] = []
    for row in network_rows(quick, 1 if quick else _ROUNDS):
        networks.append(row)
        trained = [each for each in trained if alike(each, row)]
        console.print(f"{row.network} {row.kernels}: {row.dense:.3g} s, {row.seconds:.3g} s")
    for case in _cases(quick):
        with torch.inference_mode():
            rows += layer_rows(*case, rounds=1 if quick else _ROUNDS)
        console.print(f"{case}: " + ", ".join(f"{r.method} {r.seconds:.3g} s" for r in rows[-4:]))
        if path:  # After each: a run that is stopped leaves what it measured.
            _save(path, rows, [*networks, *trained])


def _trained(path: Path | None) -> list[NetworkRow]:
    """Give the rows of files, which stay where the other ones are measured as they were."""
    known = path and path.with_name(f"{path.stem}_networks.csv")
    rows = read_networks(known) if known and known.is_file() else []
    return [row for row in rows if row.kernels.endswith(TRAINED)]


def _add_files(path: Path | None, files: list[Path], rounds: int, console: Console) -> None:
    known = read_networks(path.with_name(f"{path.stem}_networks.csv")) if path else []
    for each in files:
        row = file_row(each, rounds)
        console.print(f"{row.network} {row.kernels}: {row.dense:.3g} s, {row.seconds:.3g} s")
        if not all(alike(row, other) for other in known):
            raise ConfigError(f"{path} was measured otherwise than here; measure all anew first")
        name = (row.network, row.kernels)
        known = [*(other for other in known if (other.network, other.kernels) != name), row]
        if path:
            _save(path, read_layers(path), known)


def _save(path: Path, rows: list[LayerRow], networks: list[NetworkRow]) -> None:
    other = path.with_name(f"{path.stem}_networks.csv")
    write_layers(path, rows)
    write_networks(other, networks)
    text = page(read_layers(path), read_networks(other))
    write_atomic(path.with_suffix(".md"), text.encode())


if __name__ == "__main__":
    typer.run(main)
