import json
import math

import pandas as pd
import pytest

from clusterpress.errors import DataError, StoreError
from clusterpress.results import DamagedRecordWarning, read_csv, read_records, write_csv
from clusterpress.results.tidy import CORE, PROVENANCE
from tests.results.synthetic import make_record, store_of

WANTED = [
    "id",
    "paper",
    "data",
    "model",
    "method",
    "point",
    "seed",
    "profile",
    "protocol",
    "selected",
    "baseline_top1_error",
    "top1_error",
    "baseline_parameters",
    "parameters",
    "macs",
    "reference_bytes",
    "file_bytes",
    "ratio_file",
    "ratio_han2016",
    "ratio_han2016_huffman",
    "ratio_weights",
    "ratio_parameters",
    "header_bytes",
    "bias_bytes",
    "weight_stream_bytes",
    "error_after_baseline",
    "error_after_share",
    "error_after_finetune",
    "seconds",
    "git_commit",
]


def test_the_columns_that_other_tools_rely_on_are_there(records):
    assert set(WANTED) <= set(records.columns)
    assert {*CORE, *PROVENANCE} <= set(records.columns)


def test_a_row_a_run_and_the_facts_are_flattened(records):
    row = records[records["id"] == "p-2"].iloc[0]
    assert row["seed"] == 2
    assert row["stages"] == "baseline;share;finetune"
    assert row["error_after_share"] == 1.10
    assert row["fact_share.relative_squared_error.ip2"] == 0.03
    assert math.isnan(row["ratio_fc_only"])
    assert not [name for name in records if name.endswith(".init")]


def test_stages_of_the_same_name_are_told_apart(tmp_path):
    stage = {"name": "finetune", "top1_error": 1.0}
    stages = [{**stage, "top1_error": float(error)} for error in range(3)]
    frame = read_records(store_of(tmp_path, [make_record(stages=stages)]))
    assert frame["stages"].iloc[0] == "finetune;finetune_2;finetune_3"
    assert frame["error_after_finetune_3"].iloc[0] == 2.0


def test_an_empty_store_is_an_empty_table_and_a_missing_one_an_error(tmp_path):
    assert read_records(tmp_path).empty
    assert set(CORE) <= set(read_records(tmp_path).columns)
    with pytest.raises(StoreError, match="CLUSTERPRESS_STORE"):
        read_records(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("{", "damaged"),
        ("[]", "not a JSON object"),
        ("\x00", "damaged"),
        (json.dumps(make_record(format=2)), "format is 2"),
        (json.dumps(make_record(top1_error=None)), "top1_error is None"),
        (json.dumps(make_record(top1_error=math.nan)), "top1_error is nan, not a finite number"),
        (json.dumps(make_record(baseline_top1_error=math.inf)), "baseline_top1_error is inf"),
        (json.dumps(make_record(validation_error=math.nan)), "validation_error is nan"),
        (json.dumps(make_record(file_bytes="4")), "file_bytes is '4'"),
        (json.dumps(make_record(stages=[{}])), "lacks 'name'"),
        (json.dumps(make_record(ratios=3)), "damaged"),
        (json.dumps(make_record(ratios={"file": "many"})), "its file is 'many'"),
        (json.dumps(make_record(seconds="long")), "seconds is 'long'"),
        (json.dumps({k: v for k, v in make_record().items() if k != "macs"}), "lacks 'macs'"),
    ],
)
def test_a_damaged_record_is_named_and_skipped(tmp_path, damage, reason):
    store = store_of(tmp_path, [make_record(seed=0)])
    broken = tmp_path / "runs" / "broken" / "record.json"
    broken.parent.mkdir()
    broken.write_text(damage)
    with pytest.warns(DamagedRecordWarning, match="broken/record.json") as caught:
        frame = read_records(store)
    assert list(frame["id"]) == ["p-0"]
    assert reason in str(caught[0].message)


def test_without_a_validation_split_the_cells_are_empty(tmp_path):
    record = make_record(baseline_validation_error=None, validation_error=None)
    record["stages"] = [{**stage, "validation_error": None} for stage in record["stages"]]
    frame = read_records(store_of(tmp_path, [record]))
    assert len(frame) == 1
    assert frame[["baseline_validation_error", "validation_error"]].isna().all(axis=None)
    write_csv(frame, tmp_path / "records.csv")
    pd.testing.assert_frame_equal(read_csv(tmp_path / "records.csv"), frame)


@pytest.mark.parametrize("word", ["nan", "inf", ""])
def test_an_error_that_is_no_number_does_not_disappear_in_the_csv(tmp_path, word):
    path = tmp_path / "records.csv"
    write_csv(read_records(store_of(tmp_path, [make_record(top1_error=0.123)])), path)
    path.write_text(path.read_text().replace("0.123", word))
    with pytest.raises(DataError, match=r"damaged: .*(run p-0 has no finite top1_error|'nan')"):
        read_csv(path)


def test_the_csv_gives_the_same_table_back(records, tmp_path):
    write_csv(records, tmp_path / "a.csv")
    again = read_csv(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(again, records)
    write_csv(again, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_csv_does_not_depend_on_the_order_of_the_runs(records, tmp_path):
    write_csv(records, tmp_path / "a.csv")
    write_csv(records.sample(frac=1, random_state=0), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("point", ["1e5", "0012", "none", "NA", "nan", "a,b"])
def test_text_stays_text_in_the_csv(tmp_path, point):
    store = store_of(tmp_path, [make_record(point)])
    write_csv(read_records(store), tmp_path / "records.csv")
    assert read_csv(tmp_path / "records.csv")["point"].iloc[0] == point


def test_unknown_provenance_is_empty(tmp_path):
    record = make_record(provenance={"git_commit": None})
    frame = read_records(store_of(tmp_path, [record]))
    write_csv(frame, tmp_path / "records.csv")
    again = read_csv(tmp_path / "records.csv")
    assert again["git_commit"].iloc[0] == frame["git_commit"].iloc[0] == ""


def test_bad_csv_is_one_clear_error(tmp_path):
    path = tmp_path / "records.csv"
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(path)
    path.write_text("id,paper\n1,2\n")
    with pytest.raises(DataError, match="lacks the columns"):
        read_csv(path)


def test_a_word_where_a_number_belongs_is_one_clear_error(records, tmp_path):
    path = tmp_path / "records.csv"
    write_csv(records, path)
    path.write_text(path.read_text().replace("44000", "many"))
    with pytest.raises(DataError, match="damaged"):
        read_csv(path)
