"""What only the store knows of a run: its ledger, its kernels, its training curves."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from clusterpress.errors import ArtifactError
from clusterpress.ledger import Ledger, layer_breakdown

MOST_KERNELS = 1024
MOST_LAYERS = 200


def run_details(store: Path, run: str) -> dict[str, Any] | None:
    """Give the details of a run; None where its record cannot be read."""
    try:
        record = json.loads((store / "runs" / run / "record.json").read_text(encoding="utf-8"))
        path = store / "runs" / run / "artifact.safetensors"
        return {
            "layers": _layers(Ledger.from_dict(record["ledger"])),
            "kernels": _kernels(path) if _may_have_kernels(record["ledger"]) else [],
            "curves": [curve for stage in record["stages"] for curve in _curves(store, stage)],
        }
    except (OSError, ValueError, KeyError, TypeError, ArtifactError):
        return None  # The table of records has said already which record is damaged.


def _layers(ledger: Ledger) -> list[dict[str, Any]]:
    layers = layer_breakdown(ledger)[:MOST_LAYERS]
    return [
        {
            "layer": layer.layer,
            "reference": layer.reference_bytes,
            "kept": layer.kept,
            "weights": layer.weights,
            "parts": dict(layer.parts),
        }
        for layer in layers
    ]


def _may_have_kernels(ledger: dict[str, Any]) -> bool:
    """Whether a tensor is one of kernels, by its rows; those of older records do not say."""
    return any(row.get("kind", "kernels") == "kernels" for row in ledger["rows"])


def _kernels(path: Path) -> list[dict[str, Any]]:
    """Give each set's kernels, the most used first, as whole numbers from -127 to 127."""
    from clusterpress import artifact  # Imports torch, which most reports do not need.

    try:
        books = artifact.read_kernels(path)
    except ArtifactError:
        return []
    return [
        {
            "layers": len(book.layers),
            "size": list(book.centroids.shape[1:]),
            "total": len(book.centroids),
            **_drawn(book.centroids, book.uses),
        }
        for book in books
    ]


def _drawn(centroids: Any, uses: Any) -> dict[str, Any]:
    order = np.argsort(-uses, kind="stable")[:MOST_KERNELS]
    flat = centroids[order].reshape(len(order), -1)
    largest = np.abs(flat).max(axis=1, keepdims=True)
    levels = np.rint(127 * flat / np.where(largest > 0, largest, 1)).astype(int)
    return {"values": levels.tolist(), "uses": uses[order].tolist()}


def _curves(store: Path, stage: dict[str, Any]) -> list[dict[str, Any]]:
    folder = store / "logs" / f"{stage['id']}-{stage['name']}"
    paths = [folder, *sorted(folder.parent.glob(f"{folder.name}-*"))]
    curves = (_curve(path / "metrics.csv", path.name.partition("-")[2]) for path in paths)
    return [curve for curve in curves if curve["loss"] or curve["error"]]


def _curve(path: Path, name: str) -> dict[str, Any]:
    """Read the epochs' losses and validation errors; what is missing or damaged is left out."""
    curve: dict[str, Any] = {"name": name, "loss": [], "error": []}
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            for row in csv.DictReader(lines):
                for key, column in (("loss", "train_loss"), ("error", "validation_error")):
                    epoch, value = _finite(row.get("epoch")), _finite(row.get(column))
                    if epoch is not None and value is not None:
                        curve[key].append([int(epoch), round(value, 5)])
    except (OSError, csv.Error):
        pass  # A curve is no part of the record: what was read of it is shown.
    return curve


def _finite(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
