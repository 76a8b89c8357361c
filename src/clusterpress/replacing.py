"""One file in another's place: the old or the new, whenever the writer dies."""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Not a Unix: nobody can tell whether a writer lives.
    fcntl = None  # type: ignore[assignment]

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_TMPFILE = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS}
_DESCRIPTORS = Path("/proc/self/fd")
_SLOTS = 8


def replace(path: Path, content: bytes, *, durable: bool) -> None:
    """Put a file in the place of what is there, if anything is.

    The content is written before it has a name; only then it gets a temporary one in the same
    folder, and at once the final one. Where the system has no nameless files, it is written under
    the temporary name. What a writer that was killed has left of those, the next one to the same
    path removes. The file has the permissions that the user's umask gives.

    Args:
        path: The file.
        content: All of its bytes.
        durable: Whether the content reaches the disk before it has a name.

    Raises:
        OSError: The folder cannot be written; what was at ``path`` is as it was.
    """
    for name in _names(path):
        _remove_dead(name)
    if not _write_nameless(path, content, durable=durable):
        _write_named(path, content, durable=durable)


def _names(path: Path) -> list[Path]:
    """Give the temporary names of a file: more than one, for several may write it at a time.

    They are few, so that those left behind are found without a look at the whole folder. The name
    is cut short, so that a long one that the folder allows does not outgrow it as a temporary one.
    """
    own = hashlib.sha256(path.name.encode(errors="surrogateescape")).hexdigest()[:8]
    return [path.with_name(f".{path.name[:32]}.{own}.{slot}.tmp") for slot in range(_SLOTS)]


def _free_names(path: Path) -> Iterator[Path]:
    yield from _names(path)
    while True:
        yield path.with_name(f".{path.name[:32]}.{secrets.token_hex(8)}.tmp")


def _locked(descriptor: int, *, wait: bool = True) -> bool:
    """Lock a file for as long as it is open; False where that cannot be, or another one has it."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_dead(temporary: Path) -> None:
    """Remove a temporary file whose writer is dead: a living one holds a lock on it."""
    try:
        descriptor = os.open(temporary, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return
    with contextlib.suppress(OSError), os.fdopen(descriptor, "rb"):
        # The name may be another, living file's by now.
        if (
            _locked(descriptor, wait=False)
            and temporary.stat().st_ino == os.fstat(descriptor).st_ino
        ):
            temporary.unlink()


def _write_nameless(path: Path, content: bytes, *, durable: bool) -> bool:
    """Write a file that has no name until it is whole; False where the system has none such."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not _DESCRIPTORS.is_dir():
        return False
    try:
        descriptor = os.open(path.parent, os.O_WRONLY | flag, 0o666)
    except OSError as error:
        if error.errno in _NO_TMPFILE:
            return False
        raise
    with os.fdopen(descriptor, "wb") as file:
        _locked(descriptor)
        _filled(file, content, durable=durable)
        temporary = _linked(descriptor, path)
        if temporary is not None:
            _rename(temporary, path)
    return temporary is not None


def _linked(descriptor: int, path: Path) -> Path | None:
    """Give a nameless file a temporary name; None where the system refuses."""
    for temporary in _free_names(path):
        try:
            # A folder's descriptor makes Python follow the link that the source is.
            os.link(_DESCRIPTORS / str(descriptor), temporary, src_dir_fd=descriptor)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            return None
        return temporary
    raise AssertionError("the temporary names have come to an end")


def _write_named(path: Path, content: bytes, *, durable: bool) -> None:
    for temporary in _free_names(path):
        with contextlib.suppress(FileExistsError), temporary.open("xb") as file:
            _locked(file.fileno())
            if not os.fstat(file.fileno()).st_nlink:
                continue  # Somebody took it for a dead writer's before it was locked.
            try:
                _filled(file, content, durable=durable)
            except BaseException:
                # Ctrl-C too: nobody would ever look for a file of this name again.
                temporary.unlink(missing_ok=True)
                raise
            _rename(temporary, path)
            return


def _filled(file: BinaryIO, content: bytes, *, durable: bool) -> None:
    file.write(content)
    file.flush()
    if durable:
        os.fsync(file.fileno())


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
