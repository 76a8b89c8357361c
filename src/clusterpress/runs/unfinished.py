"""Trainings that were stopped on their way: how far they were, and by which code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from clusterpress.durable import write_atomic
from clusterpress.runs.store import read_json

CODE = "code.json"
UNKNOWN = {"git_commit": None, "git_dirty": None}


def epochs_done(folder: Path) -> int:
    """Count the epochs that a stage's trainings need not do again.

    Args:
        folder: The stage's ``unfinished`` folder, there or not. A state that cannot be read
            counts nothing here; whoever goes on from it says that it is damaged.
    """
    return sum(_epochs(path) for path in folder.glob("*.ckpt"))


def trains(folder: Path, code: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Note that some code trains in a stage's folder; give all that did before, in their order.

    What left no state left nothing that is gone on from, and is forgotten. States that an older
    version kept are of unknown code.

    Args:
        folder: The stage's ``unfinished`` folder, there or not.
        code: What ``git_state`` gives.

    Raises:
        StoreError: The note is damaged.
    """
    path = folder / CODE
    before: list[dict[str, Any]] = []
    if any(folder.glob("*.ckpt")):
        before = read_json(path)["codes"] if path.is_file() else [UNKNOWN]
    before = [each for each in before if each != code]
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"codes": [*before, dict(code)]}).encode())
    return before


def _epochs(path: Path) -> int:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return int(state["epoch"]) + 1
    except Exception:  # torch's reader lets a damaged file raise whatever it meets.
        return 0
