"""Folders of photographs: one folder a class, as most labelled images lie."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torchvision.datasets import ImageFolder

from clusterpress.data.file_images import FileSplit, Reading
from clusterpress.errors import DataError

SHOWN = 5


def class_names(folder: Path) -> list[str]:
    """Give the names of the folders in ``folder``, in the order of ``ImageFolder``: sorted.

    Raises:
        DataError: ``folder`` cannot be read.
    """
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror}.") from error


def read_classes(
    folder: Path, classes: Sequence[str], reading: Reading, workers: int = 0
) -> FileSplit:
    """List the images of a folder that has a folder for each class.

    Args:
        folder: Holds the folders of the classes, with images at any depth.
        classes: Their names in the order of the labels.
        reading: How an image is read.
        workers: Processes that decode.

    Raises:
        DataError: A class has no folder or no image, or a folder is no class.
    """
    found = class_names(folder)
    missing, extra = (sorted(set(a) - set(b)) for a, b in ((classes, found), (found, classes)))
    if missing or extra:
        raise DataError(
            f"The folders in {folder} are not the {len(classes)} classes: "
            + "; ".join(_listed(*pair) for pair in (("missing", missing), ("extra", extra)))
        )
    try:
        samples = ImageFolder(str(folder)).samples
    except OSError as error:
        raise DataError(f"{folder} cannot be read as a folder of classes: {error}.") from error
    number = {found.index(name): label for label, name in enumerate(classes)}
    names = [os.path.relpath(path, folder) for path, _ in samples]
    labels = [number[place] for _, place in samples]
    return file_split(folder, names, labels, reading, workers)


def file_split(
    root: Path, names: Sequence[str], labels: Sequence[int], reading: Reading, workers: int
) -> FileSplit:
    """Put names of files below ``root`` and their labels together."""
    files = np.array([os.fsencode(name) for name in names])
    return FileSplit(root, files, torch.tensor(labels, dtype=torch.int64), reading, workers)


def listing_digest(*splits: FileSplit) -> str:
    """Give the SHA-256 of the files' names, sizes in bytes and labels; contents are not read.

    Raises:
        DataError: A file is gone.
    """
    content = hashlib.sha256()
    for split in splits:
        for place, label in enumerate(split.labels.tolist()):
            path = split.path(place)
            try:
                size = path.stat().st_size
            except OSError as error:
                raise DataError(f"{path} cannot be read: {error.strerror}.") from error
            content.update(b"%s %d %d\n" % (split.names[place], size, label))
    return content.hexdigest()


def _listed(word: str, names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{word} are {', '.join(names[:SHOWN]) or 'none'}{more}"
