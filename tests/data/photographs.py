"""A few small photographs in the layouts of ImageNet."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

# Sorted; the kit numbers them otherwise.
WNIDS = ("n01440764", "n01443537", "n02119789")
BY_KIT = {1: "n02119789", 2: "n01440764", 3: "n01443537"}
ABOVE = (4, "n00001740")


def photograph(path: Path, seed: int, size: tuple[int, int] = (40, 32), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    coarse = rng.integers(256, size=(4, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR).convert(mode).save(path)


def by_class(folder: Path, each: int, seed: int = 0) -> None:
    for number, wnid in enumerate(WNIDS):
        for image in range(each):
            photograph(folder / wnid / f"{wnid}_{image}.JPEG", seed + 100 * number + image)


def flat(folder: Path, truth: list[int]) -> None:
    for number, _ in enumerate(truth, 1):
        photograph(folder / f"ILSVRC2012_val_{number:08d}.JPEG", 1000 + number)


def kit(folder: Path, truth: list[int], *, listed: bool = False) -> None:
    """The kit's labels, and its classes: by meta.mat as it is distributed, or by a list."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{number}\n" for number in truth)
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text(lines)
    if listed:
        lines = "".join(f"{wnid} {number} some_animal\n" for number, wnid in BY_KIT.items())
        (folder / "map_clsloc.txt").write_text(lines)
        return
    types = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    entries = [(number, wnid, "an animal", 0) for number, wnid in BY_KIT.items()]
    entries.append((*ABOVE, "entity", 3))
    savemat(folder / "meta.mat", {"synsets": np.array(entries, dtype=types)})
