"""A store of many made-up records: the suites' points at three seeds, and a sweep's points."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

SEEDS = 3
LAYERS, PARTS = 8, ("index", "codebook", "bias")
# A row of a real record's ledger, so that a record is of a real one's 10 kB.
_ROW = {
    "alphabet": 16, "buffer": False, "count": 25_000, "entropy_bits": 81_234.567, "gaps": [],
    "fixed_bits": 100_000, "histogram": [], "huffman_bits": 82_000, "kind": "shared",
    "layer_type": "conv", "stored_bytes": 10_250,
}  # fmt: skip


def fill(store: Path, records: int, names: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Write records as runs write them, without artifacts and logs.

    Args:
        store: The store's folder, empty.
        records: Their number.
        names: Point id -> the ``(suite, name)`` pairs that it serves; these points come first.
    """
    (store / "runs").mkdir(parents=True)
    for number, (point, seed) in enumerate(islice(_places(names), records)):
        add(store, number, point, seed)


def add(store: Path, number: int, point: str, seed: int) -> None:
    """Write one record.

    Args:
        store: The store's folder.
        number: Of the record; what it measured depends on it.
        point: Its point.
        seed: Its seed.
    """
    folder = place(store, number)
    folder.mkdir()
    (folder / "record.json").write_text(json.dumps(_record(number, point, seed), indent=1))


def place(store: Path, number: int) -> Path:
    """Give the folder of a record."""
    return store / "runs" / f"{number:016x}"


def _places(names: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[tuple[str, int]]:
    yield from ((point, seed) for point in names for seed in range(SEEDS))
    yield from ((f"sweep{number:011x}", 0) for number in count())


def _record(number: int, point: str, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(number)
    ratio = float(np.exp(random.uniform(1, 5)))
    error = round(0.5 + 0.01 * ratio * float(random.uniform(0.5, 2)), 2)
    stages = [_stage(name, error) for name in ("baseline", "prune", "retrain", "share", "finetune")]
    conventions = ("file", "han2016", "han2016_huffman", "weights", "parameters", "son2018")
    size = 1_724_320
    return {
        "format": 1, "id": f"{number:016x}", "point": point, "paper": "han2016", "seed": seed,
        "data": "mnist", "model": "lenet5", "method": "han2016", "profile": "cpu",
        "protocol": "last", "selected": False, "baseline_seed": seed,
        "baseline_top1_error": 0.8, "top1_error": error, "baseline_validation_error": 0.9,
        "validation_error": error, "baseline_parameters": 431_080, "parameters": 36_000,
        "baseline_macs": 2_293_000, "macs": 2_293_000, "reference_bytes": size,
        "file_bytes": int(size / ratio), "header_bytes": 1_500, "bias_bytes": 2_320,
        "weight_stream_bytes": int(size / ratio) - 3_820, "han2016_huffman_bytes": 43_000,
        "ratios": {name: ratio * (1 + 0.01 * i) for i, name in enumerate(conventions)},
        "stages": stages, "stage_seconds": 132.0, "seconds": 132.0, "latency_ms": 1.5,
        "peak_memory_bytes": 10**8, "config": {}, "ledger": _ledger(),
        "provenance": {
            "git_commit": "0" * 40, "git_dirty": False, "packages": {"torch": "2.13.0"},
            "processor": "a processor", "threads": 2, "device": "cpu", "precision": "32",
            "data_sha256": "0" * 64, "finished": "2026-01-01T00:00:00+00:00",
        },
    }  # fmt: skip


def _stage(name: str, error: float) -> dict[str, Any]:
    facts = {f"layer{number}": 0.01 * error for number in range(LAYERS)}
    return {
        "id": name, "name": name, "top1_error": error, "validation_error": error,
        "parameters": 36_000, "seconds": 26.4, "predictions": "0" * 64,
        "facts": {"relative_squared_error": facts} if name == "share" else {},
    }  # fmt: skip


def _ledger() -> dict[str, Any]:
    tensors = {f"layer{number}": f"layer{number}.weight" for number in range(LAYERS)}
    rows = [
        {**_ROW, "layer": layer, "part": part, "tensor": tensor}
        for layer, tensor in tensors.items()
        for part in PARTS
    ]
    return {
        "header_bytes": 1_500,
        "position_bits": 5,
        "rows": rows,
        "reference": dict.fromkeys(tensors.values(), 25_000),
        "shapes": {tensor: [50, 20, 5, 5] for tensor in tensors.values()},
    }
