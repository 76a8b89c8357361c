"""Find, fetch and check the files of a data set."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import PickleError
from typing import Any

from platformdirs import user_cache_path

from clusterpress.errors import DataError

VARIABLE = "CLUSTERPRESS_DATA"
# Seconds without an answer after which a server counts as unreachable.
PATIENCE = 10.0


def find_folder(data_dir: Path | None = None) -> Path:
    """Give the folder of the data sets: the argument, CLUSTERPRESS_DATA, or the user's cache."""
    chosen = data_dir or os.environ.get(VARIABLE) or user_cache_path("clusterpress") / "data"
    return Path(chosen).expanduser().absolute()


def missing_files(folder: Path, names: Mapping[str, int]) -> list[str]:
    """List which of the files are not in ``folder``.

    Raises:
        DataError: ``folder`` cannot be read.
    """
    try:
        there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise DataError(f"The data folder {folder} cannot be read: {error.strerror}.") from error
    return [name for name in names if name not in there]


def check_sizes(folder: Path, sizes: Mapping[str, int]) -> None:
    """Check that every file can be opened and has its official size in bytes.

    Raises:
        DataError: One does not; the message names the file.
    """
    for name, size in sizes.items():
        path = folder / name
        with reading(path), path.open("rb") as file:
            found = os.fstat(file.fileno()).st_size
        if found != size:
            raise DataError(
                f"{path} is damaged: it has {found:,} bytes and should have {size:,}; remove it "
                "and fetch it again."
            )


def check_digest(folder: Path, found: str, official: str) -> None:
    """Check the SHA-256 of what was read from the files in ``folder``.

    Raises:
        DataError: It is not that of the official data set.
    """
    if found != official:
        raise DataError(
            f"The files in {folder} are not the official ones: the SHA-256 of their content is "
            f"{found}, it should be {official}; remove them and fetch them again."
        )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a reader raises into a DataError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (RuntimeError, ValueError, AssertionError, EOFError, PickleError) as error:
        raise DataError(f"{path} is damaged and cannot be decoded: {error}.") from error


def fetch(source: Any, root: Path, place: str, sizes: Mapping[str, int], *, download: bool) -> None:
    """Let a torchvision data set fetch its files into ``root``.

    They are fetched beside their place and moved there when all are complete, so that a killed
    or a second process never leaves or meets half a file.

    Args:
        source: Class in ``torchvision.datasets``.
        root: Folder of all data sets.
        place: Folder of the files inside ``root``, as torchvision lays them out.
        sizes: The unpacked files.
        download: Whether the network may be asked at all.

    Raises:
        DataError: The files are not there afterwards.
    """
    folder = root / place
    if not download:
        raise DataError(_missing(source, root, place, sizes, "downloading is off"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
            with _impatient():
                source(temporary, download=True)
            for name in sizes:
                shutil.move(Path(temporary) / place / name, folder / name)
    except (OSError, RuntimeError) as error:
        why = str(error).strip().splitlines()[-1]
        sentence = _missing(source, root, place, sizes, f"fetching failed ({why})")
        raise DataError(sentence) from error


def _missing(source: Any, root: Path, place: str, sizes: Mapping[str, int], why: str) -> str:
    names = ", ".join(missing_files(root / place, sizes))
    return (
        f"{source.__name__} is missing: {names} not found in {root / place}, and {why}; set "
        f"{VARIABLE} or data_dir to a folder that holds {place}, or run once with a network "
        "connection."
    )


@contextmanager
def _impatient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
