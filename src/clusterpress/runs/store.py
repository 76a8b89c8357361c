"""The store: finished stages and runs in folders that appear whole or not at all."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from clusterpress.durable import no_room_said, sync
from clusterpress.errors import StoreError


class Store:
    """A folder with ``stages/<id>/``, ``runs/<id>/``, ``unfinished/<id>/`` and ``locks/``.

    A stage's or run's folder is filled under a temporary name, synced and renamed; so whatever
    kills the process, what has its final name is whole.

    Args:
        root: The folder; made on first use.

    Raises:
        StoreError: The folder cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        try:
            for name in ("stages", "runs", "locks"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the store {self.root} cannot be made: {error.strerror}") from error

    def stage(self, stage_id: str) -> Path:
        """Give the folder of a stage, there or not."""
        return self.root / "stages" / stage_id

    def run(self, run_id: str) -> Path:
        """Give the folder of a run, there or not."""
        return self.root / "runs" / run_id

    def unfinished(self, stage_id: str) -> Path:
        """Give the folder of the states that a stage's long trainings keep until it is done."""
        return self.root / "unfinished" / stage_id

    def run_state(self, run_id: str) -> Path:
        """Give the file that says how far a run is while it goes on; see ``runs.board``."""
        return self.run_states / f"{run_id}.json"

    @property
    def run_states(self) -> Path:
        """The folder of these files."""
        return self.root / "status" / "runs"

    @property
    def sweeps(self) -> Path:
        """The folder of the files that announce sweeps; see ``runs.announced``."""
        return self.root / "status" / "sweeps"

    @contextmanager
    def locked(self, name: str, waiting: str = "") -> Iterator[None]:
        """Hold the lock ``name`` among all processes that use this store.

        Args:
            name: A stage's or run's id.
            waiting: Printed once when another process holds the lock.
        """
        lock = FileLock(self.root / "locks" / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(waiting or f"waiting for another process that works on {name}", flush=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def appearing(self, final: Path) -> Iterator[Path]:
        """Give a temporary folder that becomes ``final`` when the block ends without an error.

        Raises:
            StoreError: The disk is full; nothing is left behind.
        """
        # Not mkdtemp: the final folder has the permissions that the user's umask gives.
        temporary = final.parent / f".{final.name}-{uuid.uuid4().hex}"
        try:
            with no_room_said(final):
                temporary.mkdir()
                yield temporary
                for path in temporary.iterdir():
                    sync(path)
                sync(temporary)
                temporary.rename(final)
                sync(final.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @contextmanager
    def free(self, name: str) -> Iterator[bool]:
        """Hold the lock ``name`` if nobody else does, and say whether."""
        lock = FileLock(self.root / "locks" / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def half_written(self) -> Iterator[tuple[str, Path]]:
        """Give every temporary file and folder, and the stage or run that it belongs to."""
        for room in ("stages", "runs"):
            for path in (self.root / room).glob(".*-*"):
                yield path.name[1:].split("-")[0], path
        for path in self.run_states.glob(".*.tmp"):
            yield path.name[1:].split(".")[0], path

    def sweep(self) -> None:
        """Remove what killed processes left half-written; only for stages nobody works on.

        Also the states of trainings whose stage is finished: it was, by another process or by one
        that was killed before it came to remove them.
        """
        for name, path in self.half_written():
            with self.free(name) as free:
                if free:
                    delete(path)
        for path in (self.root / "unfinished").glob("*"):
            if self.stage(path.name).exists():
                with self.free(path.name) as free:
                    if free and self.stage(path.name).exists():
                        delete(path)


def existing(folder: Path) -> Store:
    """Give the store in a folder, and make none where there is none.

    Raises:
        StoreError: There is none.
    """
    folder = folder.expanduser()
    if not (folder / "runs").is_dir():
        raise StoreError(
            f"there is no store at {folder}; give its folder by --store or CLUSTERPRESS_STORE"
        )
    return Store(folder)


def delete(path: Path) -> None:
    """Remove a file or folder; one that is gone, or cannot be removed, is left at that."""
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file; not atomic by itself: it stands in a folder that appears whole."""
    path.write_text(json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of the store.

    Raises:
        StoreError: It is unreadable or no JSON.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path} is damaged ({error}); remove its folder to have it made again"
        ) from error
