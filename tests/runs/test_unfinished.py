"""States of trainings that were stopped, and whose code they are of."""

from pathlib import Path

import pytest
import torch

from clusterpress.errors import StoreError
from clusterpress.runs.unfinished import CODE, UNKNOWN, epochs_done, trains


def code(commit: str, *, dirty: bool = False) -> dict[str, object]:
    return {"git_commit": commit, "git_dirty": dirty}


def test_code_that_left_a_state_is_told_to_those_that_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "unfinished" / "stage"
    assert trains(folder, code("first")) == []
    (folder / "0.ckpt").write_bytes(b"state")
    assert trains(folder, code("first")) == []
    assert trains(folder, code("second", dirty=True)) == [code("first")]
    assert trains(folder, code("third")) == [code("first"), code("second", dirty=True)]


def test_code_that_left_no_state_is_forgotten(tmp_path: Path) -> None:
    trains(tmp_path, code("first"))
    assert trains(tmp_path, code("second")) == []


def test_a_state_without_a_note_is_of_unknown_code(tmp_path: Path) -> None:
    (tmp_path / "0.ckpt").write_bytes(b"state")
    assert trains(tmp_path, code("now")) == [UNKNOWN]
    assert trains(tmp_path, code("next")) == [UNKNOWN, code("now")]


def test_a_damaged_note_is_said(tmp_path: Path) -> None:
    (tmp_path / "0.ckpt").write_bytes(b"state")
    (tmp_path / CODE).write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        trains(tmp_path, code("now"))


def test_epochs_are_those_of_the_states_that_can_be_read(tmp_path: Path) -> None:
    assert epochs_done(tmp_path / "nowhere") == 0
    torch.save({"epoch": 4}, tmp_path / "0.ckpt")
    (tmp_path / "1.ckpt").write_bytes(b"no state")
    trains(tmp_path, code("now"))
    assert epochs_done(tmp_path) == 5
