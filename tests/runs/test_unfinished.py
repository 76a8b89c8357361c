"""States of trainings that were stopped, and whose code they are of."""

import os
from pathlib import Path

import pytest
import torch

from clusterpress.runs.unfinished import CODE, UNKNOWN, epochs_done, forget, trains


def code(commit: str, *, dirty: bool = False) -> dict[str, object]:
    return {"git_commit": commit, "git_dirty": dirty}


def leave_state(folder: Path, number: int) -> None:
    (folder / "0.ckpt").write_bytes(b"state")
    os.utime(folder / "0.ckpt", ns=(number, number))


def test_code_that_left_a_state_is_told_to_those_that_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "unfinished" / "stage"
    assert trains(folder, code("first")) == []
    leave_state(folder, 1)
    assert trains(folder, code("first")) == []
    leave_state(folder, 2)
    assert trains(folder, code("second", dirty=True)) == [code("first")]
    leave_state(folder, 3)
    assert trains(folder, code("third")) == [code("first"), code("second", dirty=True)]


def test_code_that_left_no_state_is_forgotten(tmp_path: Path) -> None:
    trains(tmp_path, code("none"))
    assert trains(tmp_path, code("first")) == []
    leave_state(tmp_path, 1)
    assert trains(tmp_path, code("stopped at once", dirty=True)) == [code("first")]
    assert trains(tmp_path, code("third")) == [code("first")]


def test_a_folder_without_a_state_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    forget(folder)
    trains(folder, code("now"))
    forget(folder)
    assert not folder.exists()
    trains(folder, code("now"))
    leave_state(folder, 1)
    forget(folder)
    assert {path.name for path in folder.iterdir()} == {"0.ckpt", CODE}


@pytest.mark.parametrize("note", [None, "{", "{}", "[]", '{"before": null, "states": {}}'])
def test_a_state_without_a_whole_note_is_of_unknown_code(tmp_path: Path, note: str | None) -> None:
    leave_state(tmp_path, 1)
    if note is not None:
        (tmp_path / CODE).write_text(note)
    assert trains(tmp_path, code("now")) == [UNKNOWN]
    leave_state(tmp_path, 2)
    assert trains(tmp_path, code("next")) == [UNKNOWN, code("now")]


def test_code_is_told_once_and_never_to_itself(tmp_path: Path) -> None:
    # As outside of a checkout, where no code is known.
    told = []
    for number, each in enumerate([UNKNOWN, UNKNOWN, code("a"), UNKNOWN, code("a"), code("b")]):
        told.append(trains(tmp_path, each))
        leave_state(tmp_path, number)
    assert told == [[], [], [UNKNOWN], [code("a")], [UNKNOWN], [UNKNOWN, code("a")]]


def test_epochs_are_those_of_the_states_that_can_be_read(tmp_path: Path) -> None:
    assert epochs_done(tmp_path / "nowhere") == 0
    torch.save({"epoch": 4}, tmp_path / "0.ckpt")
    (tmp_path / "1.ckpt").write_bytes(b"no state")
    trains(tmp_path, code("now"))
    assert epochs_done(tmp_path) == 5
