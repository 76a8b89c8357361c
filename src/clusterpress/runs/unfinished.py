"""Trainings that were stopped on their way: how far they were, and by which code."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from clusterpress.durable import no_room_said, write_atomic

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
    """Note that some code trains in a stage's folder; give all other whose states it goes on from.

    Each once, by when it last left a state. States of older versions, and those beside a damaged
    note, are of unknown code.

    Args:
        folder: The stage's ``unfinished`` folder, there or not.
        code: What ``git_state`` gives.

    Raises:
        StoreError: The note cannot be written.
    """
    path, states = folder / CODE, _states(folder)
    before = _before(path, states) if states else []
    before = [each for each in before if each != code]
    note = {"before": before, "code": dict(code), "states": states}
    with no_room_said(path):
        folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(note).encode())
    return before


def forget(folder: Path) -> None:
    """Remove a stage's ``unfinished`` folder where no training left a state in it."""
    if not _states(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _states(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in sorted(folder.glob("*.ckpt"))}


def _before(path: Path, states: Mapping[str, int]) -> list[dict[str, Any]]:
    """Read the note; whoever wrote it left nothing where the states are still those it found."""
    try:
        note = json.loads(path.read_text())
        last = [] if note["states"] == states else [dict(note["code"])]
        return [*map(dict, note["before"]), *last]
    except (OSError, ValueError, KeyError, TypeError):
        return [UNKNOWN]


def _epochs(path: Path) -> int:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return int(state["epoch"]) + 1
    except Exception:  # torch's reader lets a damaged file raise whatever it meets.
        return 0
