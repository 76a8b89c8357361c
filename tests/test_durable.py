"""Durable files: whole or not at all, and nothing left behind."""

import errno
import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusterpress import StoreError, replacing
from clusterpress.durable import sync, write_atomic


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def failing(error: BaseException) -> object:
    def fsync(_: int) -> None:
        raise error

    return fsync


def test_a_file_appears_and_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"first", b"second, longer"):
        write_atomic(path, content)
        assert path.read_bytes() == content
    assert names(tmp_path) == ["file"]


def test_the_umask_gives_the_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "file", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_name_as_long_as_the_folder_allows_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_atomic(path, b"content")
    assert path.read_bytes() == b"content"


def test_content_reaches_the_disk_before_its_name_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, steps = tmp_path / "file", []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("sync" if path.exists() else "sync before")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_atomic(path, b"content")
    assert steps == ["sync before", "rename", "sync"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_says_what_to_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"before")
    monkeypatch.setattr(os, "fsync", failing(OSError(number, os.strerror(number))))
    with pytest.raises(StoreError, match="free some space and repeat the command"):
        write_atomic(path, b"after")
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_an_interruption_passes_and_leaves_nothing(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"before")
    monkeypatch.setattr(os, "fsync", failing(error))
    with pytest.raises(type(error)):
        write_atomic(path, b"after")
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_other_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/file cannot be written: No such file"):
        write_atomic(tmp_path / "nowhere" / "file", b"content")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="folder cannot be written"):
        write_atomic(tmp_path / "folder", b"content")
    for nameless in ("", ".", "/"):
        with pytest.raises(StoreError, match="it has no name"):
            write_atomic(Path(nameless), b"content")
    assert names(tmp_path) == ["folder"]


@pytest.fixture(params=["nameless", "named"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A system with nameless files, where this one has them, and one without."""
    if request.param == "named":
        monkeypatch.setattr(replacing, "_DESCRIPTORS", Path("/nowhere"))
    return str(request.param)


@pytest.mark.usefixtures("system")
def test_what_a_dead_writer_left_goes_with_the_next_save(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for temporary in replacing._names(path)[:2]:
        temporary.write_bytes(b"left by a writer that was killed")
    write_atomic(tmp_path / "other", b"content")
    assert len(names(tmp_path)) == 3
    write_atomic(path, b"content")
    assert names(tmp_path) == ["file", "other"]


@pytest.mark.usefixtures("system")
def test_a_living_writers_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing._names(path)[0].open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"half")
        write_atomic(path, b"content")
        write_atomic(path, b"more")
    assert path.read_bytes() == b"more"
    assert names(tmp_path) == [replacing._names(path)[0].name, "file"]


@pytest.mark.usefixtures("system")
def test_many_writers_of_one_file_leave_one_of_theirs(tmp_path: Path) -> None:
    path, contents = tmp_path / "file", [bytes([number]) * 9999 for number in range(40)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda content: write_atomic(path, content), contents))
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["file"]


@pytest.mark.usefixtures("system")
def test_an_error_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "file", b"content")
    assert names(tmp_path) == []


def test_files_and_folders_sync_and_missing_ones_raise(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"content")
    sync(tmp_path / "file")
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "nothing")
