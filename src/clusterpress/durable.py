"""Files that are there whole or not at all, and that a power cut does not take back."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from clusterpress.errors import StoreError
from clusterpress.replacing import NO_ROOM, replace


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whenever the process dies.

    The content goes to a temporary name in the same folder, reaches the disk, and only then takes
    the final name. The file has the permissions that the user's umask gives.

    Args:
        path: The file; one that is there is replaced.
        content: All of its bytes.

    Raises:
        StoreError: The path names no file, or the folder cannot be written (no room, no
            permission, no folder). What was at ``path`` is as it was, and no temporary file stays.
    """
    if not path.name:
        raise StoreError(f"The file {str(path)!r} cannot be written: it has no name.")
    try:
        replace(path, content, durable=True)
        sync(path.parent)
    except OSError as error:
        raise StoreError(_sentence(path, error)) from error


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file so that who reads it sees the old or the new; it may not outlive a power cut.

    Nothing waits for the disk: for what is written often and matters only now.

    Args:
        path: The file; one that is there is replaced.
        content: All of its bytes.

    Raises:
        OSError: The folder cannot be written; what was at ``path`` is as it was.
    """
    replace(path, content, durable=False)


@contextlib.contextmanager
def no_room_said(path: Path) -> Iterator[None]:
    """Say in one sentence that there is no room left, whatever writes below ``path``.

    Raises:
        StoreError: The disk is full, or a quota or the largest file size is reached.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise StoreError(_sentence(path, error)) from error


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk.

    Raises:
        OSError: There is no such path, or the disk reports an error.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in NO_ROOM:
        return (
            f"No room left to write {path}: {error.strerror}; "
            "free some space and repeat the command."
        )
    return f"The file {path} cannot be written: {error.strerror}."
