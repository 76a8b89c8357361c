"""A long training's state on disk, so that one that is killed goes on where it was."""

import time
import warnings
import zipfile
from pathlib import Path
from typing import Any, TypeVar

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Checkpoint

from clusterpress.durable import no_room_said, sync
from clusterpress.errors import StoreError

SECONDS = 60.0  # Least time between two writings.
# What going on needs of a state: Lightning's part, and what the module adds.
KEYS = {
    "pytorch-lightning_version",
    "state_dict",
    "loops",
    "epoch",
    "optimizer_states",
    "lr_schedulers",
    "selected",
    "random_state",
}


Way = TypeVar("Way", bound=int | str)
_OTHERWISE = {
    "threads": "its last bits will not be those of one that was not stopped "
    "(set trainer.threads={} to have the same)",
    "precision": "it will not be what one that was not stopped would be "
    "(precision=auto takes what the machine computes in)",
}


class Checkpoints(Checkpoint):
    """Keeps the state after an epoch in one file, which is replaced whole.

    A training of less than ``SECONDS`` writes nothing: to begin it anew costs no more.

    Args:
        path: The file; its folder is made when it is first written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = time.monotonic()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write the state, where it is time; the module's own epoch has ended."""
        del pl_module
        # One clock for all processes: all of them take part in writing.
        if not trainer.strategy.broadcast(time.monotonic() - self._written >= SECONDS):
            return
        temporary = self.path.with_suffix(".tmp")
        with no_room_said(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                sync(temporary)
                temporary.replace(self.path)
                sync(self.path.parent)
        self._written = time.monotonic()


def checked(path: Path, module: lightning.LightningModule) -> Path:
    """Give the path of a state that a module can go on from.

    Raises:
        StoreError: The file is damaged, or is the state of something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch writes a checksum of every part, and reads none.
        if damaged is not None:
            raise ValueError(f"the checksum of {damaged} is wrong")
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        _require_fit(state, module)
    except Exception as error:  # torch's reader lets a damaged file raise whatever it meets.
        raise StoreError(
            f"the state of an unfinished training, {path}, is damaged; "
            f"remove it to have the training begin anew ({error})"
        ) from error
    return path


def ways_from(path: Path, name: str, now: Way, epochs: int) -> tuple[Way, ...]:
    """Give the threads or the precisions that a training which goes on is done with, in order.

    Another number of threads adds in another order, so that the last bits differ from those of a
    training that was not stopped; another precision is what ``auto`` is on another machine. That
    is no reason to begin anew, but one to say it.

    Args:
        path: A state that ``checked`` has passed.
        name: ``threads`` or ``precision``.
        now: That of the epochs to come; a warning says where those before had another. States of
            older versions do not know theirs.
        epochs: Of the whole training; where none is left, ``now`` takes no part.
    """
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    before: tuple[Way, ...] = tuple(state.get(name, ()))
    done = int(state["epoch"]) + 1
    if done >= epochs or before[-1:] == (now,):
        return before
    if before:
        warnings.warn(
            f"the training goes on with {name}={now} after {done} epochs with {name}={before[-1]}: "
            + _OTHERWISE[name].format(before[-1]),
            stacklevel=2,
        )
    return (*before, now)


def _require_fit(state: Any, module: lightning.LightningModule) -> None:
    missing = KEYS - set(state)
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    shapes = [
        {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        for tensors in (state["state_dict"], module.state_dict())
    ]
    if shapes[0] != shapes[1]:
        raise ValueError("it is the state of another network")


def random_state() -> dict[str, Any]:
    """Give the state of torch's global generators, which dropout draws from."""
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return {"cpu": torch.get_rng_state(), "cuda": devices}


def set_random_state(state: dict[str, Any]) -> None:
    """Put the generators where ``random_state`` found them."""
    torch.set_rng_state(state["cpu"].cpu())
    if len(state["cuda"]) == torch.cuda.device_count() > 0:
        torch.cuda.set_rng_state_all([device.cpu() for device in state["cuda"]])
