"""Killed at any instant, or on a full disk, a save leaves the old file or the whole new one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from clusterpress import StoreError
from clusterpress.artifact import load, save

from . import safe_writes

KILLS = 20
NAME = "network.safetensors"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of all cases, and what they said."""
    folder = tmp_path_factory.mktemp("safe")
    command = [sys.executable, str(safe_writes.__file__), str(folder), str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_a_killed_save_leaves_the_old_file_or_the_whole_new_one(
    left: tuple[Path, dict[str, Any]],
) -> None:
    folder, found = left
    assert found["killed"] == [1.0, 2.0]  # Every load succeeded, and kills came after both saves.
    assert [entry.name for entry in (folder / "killed").iterdir()] == [NAME]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    left: tuple[Path, dict[str, Any]],
) -> None:
    folder, found = left
    assert found["full"].startswith("No room left to write")
    assert [entry.name for entry in (folder / "full").iterdir()] == [NAME]
    kept = load(folder / "full" / NAME, into=nn.Linear(400, 400))
    assert kept.weight.unique().tolist() == [1.0]


def test_a_place_that_is_read_only_gives_one_clear_error(
    left: tuple[Path, dict[str, Any]],
) -> None:
    assert left[1]["read_only"].endswith(f"{NAME} cannot be written: Permission denied.")


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match=r"folder cannot be written: Is a directory\."):
        save(nn.Linear(3, 2), tmp_path / "folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
