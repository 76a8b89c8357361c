"""The benchmark of files runs, and its page has every row."""

from pathlib import Path

from clusterpress.bench.artifact import Row, main, page, table


def test_a_quick_run_measures_sizes_and_speeds(tmp_path: Path) -> None:
    main(quick=True, output=tmp_path / "artifact.csv")
    lines = (tmp_path / "artifact.csv").read_text().splitlines()
    assert lines[0] == "section,network,method,value,unit,note"
    sizes = {line.split(",")[2]: line for line in lines if line.startswith("size,tiny")}
    assert {"torch.save + zip", "safetensors + zstd -19", '"clusterpress'} <= set(sizes)
    assert (tmp_path / "artifact.md").read_text().count("| tiny |") == len(lines) - 1


def test_a_missing_number_is_left_empty() -> None:
    rows = [Row("size", "net", "NNCodec", None, "bytes", "not installed")]
    assert "| net | NNCodec |  | bytes | not installed |" in page(rows)
    assert "size,net,NNCodec,,bytes,not installed" in table(rows)
