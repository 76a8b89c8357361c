"""What has its final name is whole."""

import errno
import os
from pathlib import Path

import pytest

from clusterpress.errors import StoreError
from clusterpress.runs.store import Store, existing, read_json, write_json


def test_a_folder_appears_only_when_its_block_ends(tmp_path):
    store = Store(tmp_path)
    final = store.stage("a")
    with store.appearing(final) as folder:
        write_json(folder / "x.json", 1)
        assert not final.exists()
    assert read_json(final / "x.json") == 1


def fail(store, error):
    with store.appearing(store.stage("a")) as folder:
        (folder / "x").write_text("half")
        raise error


def test_a_failed_block_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="stop"):
        fail(Store(tmp_path), ValueError("stop"))
    assert list((tmp_path / "stages").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, number):
    with pytest.raises(StoreError, match=r"No room left.*free some space"):
        fail(Store(tmp_path), OSError(number, os.strerror(number)))
    assert list((tmp_path / "stages").iterdir()) == []


def test_what_a_killed_process_left_is_swept_but_not_what_is_at_work(tmp_path):
    store = Store(tmp_path)
    left, busy = tmp_path / "stages" / ".dead-x1", tmp_path / "stages" / ".busy-x2"
    left.mkdir()
    busy.mkdir()
    with store.locked("busy"):
        Store(tmp_path).sweep()
    assert not left.exists()
    assert busy.exists()


def test_damaged_notes_are_named(tmp_path):
    (tmp_path / "stage.json").write_text('{"half":')
    with pytest.raises(StoreError, match=r"stage\.json is damaged"):
        read_json(tmp_path / "stage.json")


def test_a_store_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(tmp_path / "file" / "store")


def test_a_store_below_the_home_folder_is_found_as_it_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    made = Store(Path("~/kept"))
    assert existing(Path("~/kept")).root == made.root == tmp_path / "kept"
