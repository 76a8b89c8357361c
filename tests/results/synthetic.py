"""Records, names and claims made up for the tests."""

import copy
import json
from pathlib import Path
from typing import Any

from clusterpress.results import Claim


def make_record(point: str = "p", seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A record as runs/ writes it; nested entries are replaced whole."""
    record = {
        "format": 1,
        "id": f"{point}-{seed}",
        "point": point,
        "paper": "han2016",
        "data": "mnist",
        "model": "lenet5",
        "method": "han2016",
        "seed": seed,
        "profile": "cpu",
        "protocol": "last",
        "selected": False,
        "baseline_top1_error": 0.80 + 0.01 * seed,
        "baseline_validation_error": 0.9,
        "top1_error": 0.78 + 0.02 * seed,
        "validation_error": 0.91,
        "baseline_parameters": 431080,
        "parameters": 36000,
        "baseline_macs": 2_293_000,
        "macs": 2_293_000,
        "reference_bytes": 1_724_320,
        "file_bytes": 44_000 + seed,
        "header_bytes": 1_500,
        "bias_bytes": 2_320,
        "weight_stream_bytes": 40_180 + seed,
        "han2016_huffman_bytes": 43_000,
        "ratios": {
            "file": 39.0,
            "han2016": 33.5 + seed / 10,
            "han2016_huffman": 40.0 + seed / 10,
            "weights": 38.0,
            "fc_only": None,
            "parameters": 12.0,
        },
        "stages": [
            {"id": "a", "name": "baseline", "top1_error": 0.80, "validation_error": 0.9,
             "parameters": 431080, "seconds": 100.0, "facts": {}},
            {"id": "b", "name": "share", "top1_error": 1.10, "validation_error": 1.2,
             "parameters": 36000, "seconds": 2.0,
             "facts": {"relative_squared_error": {"ip1": 0.01, "ip2": 0.03}, "init": "linear"}},
            {"id": "c", "name": "finetune", "top1_error": 0.78, "validation_error": 0.91,
             "parameters": 36000, "seconds": 30.0, "facts": {}},
        ],
        "ledger": {},
        "seconds": 132.0,
        "latency_ms": 1.5,
        "peak_memory_bytes": 10**8,
        "config": {},
        "provenance": {"git_commit": "1234567890", "git_dirty": False,
                       "packages": {"torch": "2.13.0"}, "python": "3.12", "platform": "linux",
                       "processor": "a processor", "threads": 2, "device": "cpu",
                       "precision": "32", "data_sha256": "00ff", "finished": "2026-01-01"},
    }  # fmt: skip
    return {**copy.deepcopy(record), **changes}


def store_of(folder: Path, records: list[dict[str, Any]]) -> Path:
    for record in records:
        path = folder / "runs" / record["id"] / "record.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(record))
    return folder


def merging_records() -> list[dict[str, Any]]:
    """Three seeds of the points none, wang2020 and random_merge at two keep ratios."""
    found = []
    for seed in range(3):
        common = {"data": "mnist", "model": "lenet5", "paper": "control"}
        found.append(make_record("plain", seed, method="none", top1_error=0.7, **common))
        for number, keep in enumerate((0.5, 0.25)):
            for method, error in (("wang2020", 0.75), ("random_merge", 0.9)):
                found.append(
                    make_record(
                        f"{method}{keep}",
                        seed,
                        method=method,
                        top1_error=error + 0.1 * number,
                        **common,
                    )
                )
    return found


MERGING_NAMES = {
    "plain": [("wang2020", "lenet5-none")],
    "wang20200.5": [("wang2020", "lenet5-keep0.5")],
    "wang20200.25": [("wang2020", "lenet5-keep0.25")],
    "random_merge0.5": [("wang2020", "lenet5-keep0.5-random")],
    "random_merge0.25": [("wang2020", "lenet5-keep0.25-random")],
}
NAMES = {"p": [("han2016", "lenet5"), ("wu2019", "lenet5-4bit")], **MERGING_NAMES}


def make_claim(**changes: Any) -> Claim:
    settings: dict[str, Any] = {
        "id": "c", "paper": "han2016", "data": "mnist", "model": "lenet5",
        "quantity": "compression_ratio", "relation": "=", "value": 39.0, "status": "found",
        "source": "table 1", "convention": "han2016_huffman", "points": ("lenet5",),
    }  # fmt: skip
    merged = {**settings, **changes}
    return Claim(printed=str(merged.pop("value")), **merged)
