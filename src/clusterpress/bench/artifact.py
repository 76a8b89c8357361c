"""Size and speed of the file against others: ``python -m clusterpress.bench.artifact``."""

import tempfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from torch import nn

from clusterpress.artifact import Ledger, load, save
from clusterpress.artifact.packing import Coder
from clusterpress.bench.artifact_networks import (
    GIVEN,
    Trained,
    alexnet,
    entropy_shared,
    pruned_and_shared,
    trained,
    vgg16,
)
from clusterpress.bench.artifact_peers import PEERS, deep_compression, dense_state, nncodec, size_of
from clusterpress.bench.artifact_rows import AFTER, BEFORE, FAST, OURS, Row, page, table
from clusterpress.bench.measure import measure
from clusterpress.bench.rows import cores
from clusterpress.data.images import Images, ImageSet
from clusterpress.durable import write_atomic
from clusterpress.runs.provenance import processor
from clusterpress.training.evaluation import evaluate

OUTPUT = Path("results/bench/artifact.csv")
PRICES = tuple(round(0.02 * 1.05**step, 4) for step in range(36))
SELECTION_IMAGES = 20_000
AGREEMENT = 99.9
CODERS: tuple[Coder, ...] = ("small", "fast")
COMPRESSED = "90 % pruned, 16 values"


def size_rows(name: str, network: nn.Module, folder: Path, note: str) -> Iterator[Row]:
    """Give the sizes of one compressed network in every file, and bits a symbol of ours."""
    state = dense_state(network)
    dense = sum(4 * each.numel() for each in state.values())
    ledger = save(network, folder / "small")

    def row(method: str, size: int | None) -> Row:
        return Row("size", name, method, size, "bytes", note if size else "not installed")

    yield row("fp32", dense)
    for method, size in PEERS.items():
        yield row(method, size_of(size, state))
    yield row("Deep Compression, Huffman", deep_compression(ledger))
    yield row("NNCodec", nncodec(network, ledger))
    yield row(FAST, save(network, folder / "fast", coder="fast").file_bytes)
    yield row(OURS, ledger.file_bytes)
    yield from _symbol_rows(name, ledger)


def _symbol_rows(name: str, ledger: Ledger) -> Iterator[Row]:
    for part in ("position", "index"):
        rows = [row for row in ledger.rows if row.part == part]
        count = sum(row.count for row in rows)
        stored, ideal = sum(8 * r.stored_bytes for r in rows), sum(r.entropy_bits for r in rows)
        yield Row("symbols", name, f"{part}, stored", stored / count, "bits a symbol")
        yield Row("symbols", name, f"{part}, entropy", ideal / count, "bits a symbol")


def speed_rows(name: str, network: nn.Module, coder: Coder, folder: Path) -> Iterator[Row]:
    """Time writing and reading, in MB of fp32 weights a second, and their most memory."""
    path, into = folder / "speed", [deepcopy(network)]
    dense = 4 * sum(each.numel() for each in dense_state(network).values())
    for work, run in (
        ("encode", lambda: save(network, path, coder=coder)),
        ("decode", lambda: read_only(path)),
        ("load", lambda: load(path, into=into[0])),
    ):
        took, _ = measure(run, most=1)
        yield Row("speed", name, f"{work}, {coder}", dense / 1e6 / took.seconds, "MB/s")
        if took.peak_bytes is not None:
            share = 100 * took.peak_bytes / dense
            yield Row("memory", name, f"{work}, {coder}", share, "% of the dense network")


def read_only(path: Path) -> int:
    """Decode every stream of a file, without a network and without counting."""
    from clusterpress.artifact.decode import _open

    return sum(len(content.streams) for content in _open(path).contents())


def untrained_rows(name: str, given: Trained, folder: Path) -> Iterator[Row]:
    """Share by entropy at the highest price that training images allow; score on the test set."""
    images, path = given.images, folder / "untrained"
    if images is None:
        return
    found = [_highest(given, images, path, by_layer) for by_layer in (False, True)]
    size, price, by_layer, best = min(found, key=lambda each: each[0])
    ledger = save(best, path)
    back = load(path, into=deepcopy(given.network)).eval()
    errors = [evaluate(one, images.test, images).top1_error for one in (given.network, back)]
    note = (
        f"a bit is worth {price} of {'each layer' if by_layer else 'all weights'}' variance: the "
        f"highest price tried with {AGREEMENT} % agreement on {SELECTION_IMAGES:,} training images "
        "(the given networks were trained on all of them, so none are left to validate on)"
    )
    yield Row("untrained", name, "ratio", ledger.reference_bytes / size, "x", note)
    yield Row("untrained", name, "file", size, "bytes")
    yield Row("untrained", name, BEFORE, 100 - errors[0], "%")
    yield Row("untrained", name, AFTER, 100 - errors[1], "%")


def _highest(
    given: Trained, images: ImageSet, path: Path, by_layer: bool
) -> tuple[int, float, bool, nn.Module]:
    """Give size, price and network of the highest price that keeps the predictions.

    By halving: the dearer a bit, the fewer predictions stay.
    """
    chosen = images.train.take(np.arange(SELECTION_IMAGES))
    before = evaluate(given.network, chosen, images).predictions
    best, price, low, high = given.network, 0.0, 0, len(PRICES)
    while low < high:
        middle = (low + high) // 2
        network = entropy_shared(deepcopy(given.network), PRICES[middle], by_layer=by_layer)
        if _agreement(network, chosen, images, before) < AGREEMENT:
            high = middle
        else:
            best, price, low = network, PRICES[middle], middle + 1
    return save(best, path).file_bytes, price, by_layer, best


def _agreement(network: nn.Module, split: Images, images: ImageSet, before: torch.Tensor) -> float:
    found = evaluate(network, split, images).predictions
    return 100 * float((found == before).float().mean())


def _rows(quick: bool, folder: Path) -> Iterator[Row]:
    if quick:
        tiny = pruned_and_shared(nn.Sequential(nn.Linear(40, 30), nn.Linear(30, 20)))
        yield from size_rows("tiny", tiny, folder, "initial weights")
        yield from speed_rows("tiny", tiny, "small", folder)
        return
    for name in GIVEN:
        given = trained(name)
        if given is not None:
            compressed = pruned_and_shared(deepcopy(given.network))
            yield from size_rows(name, compressed, folder, f"given weights, {COMPRESSED}")
    large = pruned_and_shared(alexnet(), exact=False)
    for coder in CODERS:
        yield from speed_rows("alexnet, initial", large, coder, folder)
    for name in GIVEN:
        given = trained(name)
        if given is not None:
            yield from untrained_rows(name, given, folder)
    yield from size_rows("vgg16", pruned_and_shared(vgg16()), folder, f"initial, {COMPRESSED}")


def main(
    quick: Annotated[bool, typer.Option("--quick", help="One tiny network.")] = False,
    output: Annotated[Path | None, typer.Option(help=f"CSV; {OUTPUT}, none for --quick.")] = None,
) -> None:
    """Measure sizes and speeds, and write the CSV and a page made of it."""
    console, rows = Console(highlight=False, markup=False), list[Row]()
    path = output or (None if quick else OUTPUT)
    machine = f"{cores()} cores, {processor()}"
    with tempfile.TemporaryDirectory() as folder:
        for row in _rows(quick, Path(folder)):
            rows.append(replace(row, machine=machine))
            console.print(f"{row.section}: {row.network}, {row.method}: {row.value} {row.unit}")
            if path:
                write_atomic(path, table(rows).encode())
                write_atomic(path.with_suffix(".md"), page(rows).encode())


if __name__ == "__main__":
    typer.run(main)
