"""The index is a cache: whatever happens to it, the table is that of the records."""

import json
import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest

from clusterpress.results import index, read_records
from tests.results.synthetic import make_record, store_of


@pytest.fixture
def store(tmp_path: Path) -> Path:
    records = [make_record(f"point{number}", seed) for number in range(4) for seed in range(3)]
    records[5]["stages"][1]["facts"] = {"alone": 0.5}
    return store_of(tmp_path / "store", records)


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The names of the records that are read from their own files."""
    names: list[str] = []
    real = index._read

    def spy(runs, wanted):
        names.extend(wanted)
        return real(runs, wanted)

    monkeypatch.setattr(index, "_read", spy)
    return names


def fresh(store: Path) -> pd.DataFrame:
    """What the records say, without an index."""
    shutil.rmtree(store / "index", ignore_errors=True)
    frame = read_records(store)
    shutil.rmtree(store / "index")
    return frame


def test_a_record_is_read_once(store, read):
    first = read_records(store)
    assert len(read) == 12
    pd.testing.assert_frame_equal(read_records(store), first)
    assert len(read) == 12
    store_of(store, [make_record("new")])
    assert len(read_records(store)) == 13
    assert read[12:] == ["new-0"]


def test_what_was_changed_added_and_removed_is_noticed(store, read):
    read_records(store)
    (store / "runs/point0-1/record.json").write_text(
        json.dumps(make_record("point0", 1, top1_error=0.123))
    )
    shutil.rmtree(store / "runs/point2-2")
    store_of(store, [make_record("added")])
    found = read_records(store)
    assert sorted(read[12:]) == ["added-0", "point0-1"]
    assert found.set_index("id").loc["point0-1", "top1_error"] == 0.123
    pd.testing.assert_frame_equal(found, fresh(store))


@pytest.mark.parametrize("damage", [b"", b"PK", b"x" * 1000, None])
def test_a_damaged_segment_costs_time_alone(store, damage):
    expected = read_records(store)
    (segment,) = (store / "index").iterdir()
    content = segment.read_bytes()
    if damage is None:  # A bit in the middle of a column.
        place = len(content) // 2
        damage = content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]
    segment.write_bytes(damage)
    pd.testing.assert_frame_equal(read_records(store), expected)
    pd.testing.assert_frame_equal(read_records(store), expected)


def test_two_processes_that_write_the_same_rows_count_once(store):
    expected = read_records(store)
    (segment,) = (store / "index").iterdir()
    shutil.copy(segment, segment.with_name(segment.name.replace("-", "-0", 1)))
    pd.testing.assert_frame_equal(read_records(store), expected)


def test_many_segments_become_one_with_the_same_rows(store, read, monkeypatch):
    for number in range(index.MOST + 2):
        store_of(store, [make_record(f"late{number}")])
        found = read_records(store)
    assert len(list((store / "index").iterdir())) < index.MOST
    assert len(read) == 12 + index.MOST + 2
    pd.testing.assert_frame_equal(found, fresh(store))
    monkeypatch.setattr(index, "ROWS", 1)  # All at once, a segment each.
    pd.testing.assert_frame_equal(fresh(store), found)


def test_removed_records_do_not_stay_in_the_index_for_ever(store):
    read_records(store)
    for path in list((store / "runs").iterdir())[1:]:
        shutil.rmtree(path)
    store_of(store, [make_record(f"late{number}") for number in range(3)])
    assert len(read_records(store)) == 4
    monkey = [path.name for path in (store / "index").iterdir()]
    assert len(monkey) <= 2


def test_a_store_that_cannot_be_written_is_read_all_the_same(store):
    expected = fresh(store)
    (store / "index").write_text("a file where the folder should be")
    pd.testing.assert_frame_equal(read_records(store), expected)


def test_code_that_makes_other_rows_does_not_take_old_ones(store, read, monkeypatch):
    read_records(store)
    monkeypatch.setattr(index, "_version", lambda: "other")
    read_records(store)
    assert len(read) == 24


def test_without_facts_there_is_all_but_facts(store):
    whole = read_records(store)
    short = read_records(store, facts=False)
    kept = [name for name in whole if not name.startswith("fact_")]
    assert len(kept) < len(whole.columns)
    pd.testing.assert_frame_equal(short, whole[kept])


def test_a_damaged_record_is_told_at_every_look(store):
    (store / "runs/point1-1/record.json").write_text("{")
    for _ in range(2):
        with pytest.warns(UserWarning, match="point1-1"):
            assert len(read_records(store)) == 11


def test_a_folder_that_is_still_being_filled_is_no_record(store):
    (store / "runs/.half").mkdir()
    (store / "runs/.half/record.json").write_text("{")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_records(store)) == 12
