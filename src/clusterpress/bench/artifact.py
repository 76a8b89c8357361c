"""Size and speed of the file against others: ``python -m clusterpress.bench.artifact``."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from torch import nn

from clusterpress.artifact import Ledger, load, save
from clusterpress.artifact.packing import Coder
from clusterpress.bench import untrained
from clusterpress.bench.artifact_networks import (
    GIVEN,
    alexnet,
    own_baseline,
    pruned_and_shared,
    trained,
    vgg16,
)
from clusterpress.bench.artifact_peers import PEERS, deep_compression, dense_state, nncodec, size_of
from clusterpress.bench.artifact_rows import FAST, OURS, Row, merged, page, read, table
from clusterpress.bench.measure import measure
from clusterpress.bench.rows import cores
from clusterpress.durable import write_atomic
from clusterpress.runs.provenance import processor

OUTPUT = Path("results/bench/artifact.csv")
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
    from clusterpress.artifact.opening import opened

    return sum(len(content.streams) for content in opened(path).contents())


def _tiny(folder: Path) -> Iterator[Row]:
    tiny = pruned_and_shared(nn.Sequential(nn.Linear(40, 30), nn.Linear(30, 20)))
    yield from size_rows("tiny", tiny, folder, "initial weights")
    yield from speed_rows("tiny", tiny, "small", folder)


def _given(name: str, folder: Path) -> Iterator[Row]:
    given = trained(name)
    if given is not None:
        compressed = pruned_and_shared(deepcopy(given.network))
        yield from size_rows(name, compressed, folder, f"given weights, {COMPRESSED}")


def _alexnet(folder: Path) -> Iterator[Row]:
    large = pruned_and_shared(alexnet(), exact=False)
    for coder in CODERS:
        yield from speed_rows("alexnet, initial", large, coder, folder)


def _vgg16(folder: Path) -> Iterator[Row]:
    own = own_baseline("vgg16", "cifar10")
    if own is not None:
        yield from size_rows("vgg16", pruned_and_shared(own), folder, f"own baseline, {COMPRESSED}")
    initial = pruned_and_shared(vgg16())
    yield from size_rows("vgg16, initial", initial, folder, f"initial, {COMPRESSED}")


PARTS: dict[str, Callable[[Path], Iterator[Row]]] = {
    **{name: partial(_given, name) for name in GIVEN},
    "alexnet": _alexnet,
    "vgg16": _vgg16,
}


def main(
    quick: Annotated[bool, typer.Option("--quick", help="One tiny network.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(PARTS)} or untrained; the rows of others stay."),
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Keep files without training that were measured.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help=f"CSV; {OUTPUT}, none for --quick.")] = None,
) -> None:
    """Measure sizes and speeds, then accuracies; write CSVs, and a page made of each."""
    asked = {name: only is None or name in only for name in (*PARTS, "untrained")}
    if only and not set(only) <= set(asked):
        raise typer.BadParameter(f"{', '.join(only)}: there are {', '.join(asked)}")
    console, machine = Console(highlight=False, markup=False), f"{cores()} cores, {processor()}"
    path = output or (None if quick else OUTPUT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [_tiny] if quick else [part for name, part in PARTS.items() if asked[name]]
        old = read(path) if only and path and path.is_file() else []
        rows = list[Row]()
        for row in chain.from_iterable(part(folder) for part in parts):
            rows.append(replace(row, machine=machine))
            console.print(f"{row.section}: {row.network}, {row.method}: {row.value} {row.unit}")
            _write(path, table(merged(old, rows)), page(merged(old, rows)))
        if asked["untrained"] and not quick:
            beside = (path or OUTPUT).with_name(untrained.OUTPUT.name)
            done = untrained.read(beside) if go_on and beside.is_file() else []
            found = list[untrained.Point]()
            for point in _untrained(folder, machine, done):
                found.append(point)
                console.print(f"{point.network}, {point.coder} {point.setting}: {point.ratio:.2f}x")
                _write(beside, untrained.table(found), untrained.page(found))


def _untrained(
    folder: Path, machine: str, done: Sequence[untrained.Point]
) -> Iterator[untrained.Point]:
    for name in GIVEN:
        given = trained(name)
        if given is not None:
            yield from untrained.points(name, given, folder, machine, done=done)


def _write(path: Path | None, csv: str, markdown: str) -> None:
    if path:
        write_atomic(path, csv.encode())
        write_atomic(path.with_suffix(".md"), markdown.encode())


if __name__ == "__main__":
    typer.run(main)
