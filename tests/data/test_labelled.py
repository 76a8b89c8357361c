from pathlib import Path

import pytest

from clusterpress.data.file_images import Reading
from clusterpress.data.labelled import LabelledImages, read_labelled
from clusterpress.errors import ConfigError, DataError

from .photographs import WNIDS, by_class, flat, kit, photograph

SMALL = Reading(resize=20, crop=16)


def read(folder: Path, **more: object) -> LabelledImages:
    chosen = {"mean": (0.5,) * 3, "std": (0.2,) * 3} | more
    return read_labelled(folder, SMALL, **chosen)


def test_folders_are_classes_in_sorted_order(tmp_path: Path) -> None:
    by_class(tmp_path, 2)
    data = read(tmp_path)
    assert (data.split.labels.tolist(), data.classes) == ([0, 0, 1, 1, 2, 2], 3)


def test_a_list_says_which_output_a_folder_is(tmp_path: Path) -> None:
    by_class(tmp_path, 1)
    names = ["first", WNIDS[2], WNIDS[0], "fourth", WNIDS[1]]
    data = read(tmp_path, classes=names)
    found = {data.split.path(i).parent.name: int(data.split.labels[i]) for i in range(3)}
    assert found == {WNIDS[0]: 2, WNIDS[1]: 4, WNIDS[2]: 1}
    assert data.classes == 5
    with pytest.raises(DataError, match=f"list of classes lacks '{WNIDS[2]}'"):
        read(tmp_path, classes=names[2:])


def test_flat_validation_images_are_labelled_by_their_kit(tmp_path: Path) -> None:
    flat(tmp_path / "val", [3, 1])
    kit(tmp_path / "ILSVRC2012_devkit_t12" / "data", [3, 1])
    data = read(tmp_path / "val")
    assert (data.split.labels.tolist(), data.classes) == ([1, 2], 1000)
    with pytest.raises(ConfigError, match="lie flat"):
        read(tmp_path / "val", classes=WNIDS[::-1])


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    photograph(tmp_path / "a.JPEG", 0)
    with pytest.raises(DataError, match="no labelled image"):
        read(tmp_path)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("bad", [{"mean": (0.5,)}, {"mean": ()}, {"std": (0.2, 0.2, 0.0)}])
def test_a_normalisation_that_does_not_fit_is_refused(tmp_path: Path, bad: object) -> None:
    by_class(tmp_path, 1)
    with pytest.raises(ConfigError, match=r"mean|std"):
        read(tmp_path, **bad)
