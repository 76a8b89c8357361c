"""The flat layout of ImageNet's validation images: one folder, labels in the development kit.

The kit numbers the classes 1 to 1000 by ``ILSVRC2012_ID``, which is not the sorted order of their
WordNet names that ``ImageFolder`` and torchvision's networks count in.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from clusterpress.data.file_images import FileSplit, Reading
from clusterpress.data.files import reading as reading_of
from clusterpress.data.folders import file_split
from clusterpress.errors import DataError

TRUTH = "ILSVRC2012_validation_ground_truth.txt"
META = "meta.mat"
# The list of later kits for the same 1000 classes: a line "n02119789 1 kit_fox" for each.
LIST = "map_clsloc.txt"
PLACES = ("", "data", "devkit/data", "ILSVRC2012_devkit_t12/data")
IMAGE = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG", re.IGNORECASE)
Wnids = Mapping[int, str]


def flat_images(folder: Path) -> dict[int, str]:
    """Give the names of flat validation images by their number, ascending."""
    matches = (IMAGE.fullmatch(path.name) for path in sorted(folder.iterdir()))
    return {int(match[1]): match[0] for match in matches if match}


def read_flat(
    folder: Path, reading: Reading, workers: int = 0, classes: Sequence[str] | None = None
) -> FileSplit:
    """List flat validation images with the kit's labels, in the sorted order of the classes.

    Args:
        folder: Holds ``ILSVRC2012_val_00000001.JPEG`` and so on. The kit's files are looked for
            in it and in the folder above it, there also in the kit's own folder.
        reading: How an image is read.
        workers: Processes that decode.
        classes: WordNet names that the kit must have, sorted; None takes the kit's.

    Raises:
        DataError: A file of the kit is missing or damaged, it has other classes, or there is an
            image without a label.
    """
    images, truth = flat_images(folder), ground_truth(_found(folder, TRUTH))
    wnids = read_wnids(_found(folder, META, LIST))
    names = sorted(wnids.values())
    if classes is not None and names != list(classes):
        raise DataError(f"The classes of the kit beside {folder} are not those of the folders.")
    late = [name for number, name in images.items() if not 1 <= number <= len(truth)]
    unknown = sorted(set(truth) - set(wnids))
    if late or unknown:
        what = f"no label for {late[0]}" if late else f"no class of the number {unknown[0]}"
        raise DataError(f"The kit beside {folder} has {what}.")
    place = {wnid: label for label, wnid in enumerate(names)}
    labels = [place[wnids[truth[number - 1]]] for number in images]
    return file_split(folder, list(images.values()), labels, reading, workers)


def ground_truth(path: Path) -> list[int]:
    """Read the kit's numbers of classes, that of image 1 first.

    Raises:
        DataError: The file cannot be read, or a line is no number.
    """
    with reading_of(path):
        return [int(line) for line in path.read_text().split()]


def read_wnids(path: Path) -> dict[int, str]:
    """Read the WordNet names of the classes by the kit's number, from meta.mat or a list.

    Raises:
        DataError: The file cannot be read, or names or numbers are not unique.
    """
    with reading_of(path):
        try:
            pairs = _pairs(path)
        except (KeyError, TypeError, IndexError, NotImplementedError, MatReadError) as error:
            raise ValueError(f"it is not as the development kit has it ({error!r})") from error
        if len({n for n, _ in pairs}) != len(pairs) or len({w for _, w in pairs}) != len(pairs):
            raise ValueError("a class stands in it twice")
        return dict(pairs)


def _pairs(path: Path) -> list[tuple[int, str]]:
    if path.suffix != ".mat":
        lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
        return [(int(number), wnid) for wnid, number, *_ in lines]
    synsets: Any = loadmat(path, squeeze_me=True)["synsets"]
    # Above the 1000 classes stand the 860 that they belong to, which have children.
    leaves = [entry for entry in synsets if int(entry["num_children"]) == 0]
    return [(int(entry["ILSVRC2012_ID"]), str(entry["WNID"])) for entry in leaves]


def _found(folder: Path, *names: str) -> Path:
    """Find a file of the kit near the images.

    Raises:
        DataError: There is none.
    """
    tried = [above / place for above in (folder, folder.parent) for place in PLACES]
    for name in names:
        for path in (place / name for place in tried):
            if path.is_file():
                return path
    raise DataError(
        f"The images in {folder} lie flat, and their labels are missing: {' or '.join(names)} of "
        f"the development kit (ILSVRC2012_devkit_t12.tar.gz, image-net.org) is neither in {folder} "
        f"nor in {folder.parent}, nor there in {', '.join(PLACES[1:])}."
    )
