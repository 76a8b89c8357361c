"""Trainings that were stopped on their way: how far they were."""

from pathlib import Path

import torch


def epochs_done(folder: Path) -> int:
    """Count the epochs that a stage's trainings need not do again.

    Args:
        folder: The stage's ``unfinished`` folder, there or not. A state that cannot be read
            counts nothing here; whoever goes on from it says that it is damaged.
    """
    return sum(_epochs(path) for path in folder.glob("*.ckpt"))


def _epochs(path: Path) -> int:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return int(state["epoch"]) + 1
    except Exception:  # torch's reader lets a damaged file raise whatever it meets.
        return 0
