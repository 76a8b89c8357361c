"""The benchmark of files runs, and its page has every row."""

from pathlib import Path

import pytest

from clusterpress.bench.artifact import main
from clusterpress.bench.artifact_rows import Row, bounds, merged, page, read, table


def test_a_quick_run_measures_sizes_and_speeds(tmp_path: Path) -> None:
    main(quick=True, output=tmp_path / "artifact.csv")
    lines = (tmp_path / "artifact.csv").read_text().splitlines()
    assert lines[0] == "section,network,method,value,unit,note,machine"
    sizes = {line.split(",")[2]: line for line in lines if line.startswith("size,tiny")}
    assert {"torch.save + zip", "safetensors + zstd -19", '"clusterpress'} <= set(sizes)
    assert (tmp_path / "artifact.md").read_text().count("| tiny |") == len(lines) - 1


def test_a_missing_number_is_left_empty() -> None:
    rows = [Row("size", "net", "NNCodec", None, "bytes", "not installed")]
    assert "| net | NNCodec |  | bytes | not installed |" in page(rows)
    assert "size,net,NNCodec,,bytes,not installed," in table(rows)


@pytest.mark.parametrize(("ours", "judgement"), [(9, "met"), (10, "met"), (11, "missed")])
def test_the_file_is_judged_against_the_smallest_other(ours: int, judgement: str) -> None:
    rows = [
        Row("size", "net", "xz", 10, "bytes"),
        Row("size", "net", "zip", 20, "bytes"),
        Row("size", "net", "NNCodec", None, "bytes"),
        Row("size", "net", "clusterpress, fast", 5, "bytes"),
        Row("size", "net", "clusterpress, small", ours, "bytes"),
    ]
    first, *_ = (each.cells() for each in bounds(rows))
    assert first[:2] == [judgement, "net: the smallest other file over ours"]


def test_new_rows_take_the_place_of_their_networks(tmp_path: Path) -> None:
    old = [Row("size", "a", "xz", 1, "bytes"), Row("size", "b", "xz", None, "bytes", "missing")]
    (tmp_path / "rows.csv").write_text(table(old))
    new = [Row("size", "a", "zip", 3, "bytes"), Row("speed", "a", "encode", 4, "MB/s")]
    assert read(tmp_path / "rows.csv") == old
    assert merged(read(tmp_path / "rows.csv"), new) == [old[1], *new]
