import io

import matplotlib as mpl
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.errors import ConfigError, DataError, StoreError
from clusterpress.results import (
    comparison,
    console,
    read_csv,
    read_records,
    stale,
    together,
    update_readme,
    write_csv,
    write_results,
)
from clusterpress.results.cells import measured_cells
from tests.results.synthetic import NAMES, make_claim, make_record, store_of

CLAIMS = [
    make_claim(),
    make_claim(id="e", quantity="top1_error", value=0.74),
    make_claim(id="l", relation="≥", value="30", max_error_change=0.0, convention="han2016"),
    make_claim(id="s", paper="son2018", points=(), needs="ImageNet", note="doubtful"),
]
COMMAND = "recompute with `clusterpress results --records results/records.csv`."
README = "# Head\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\ntail\n"


def contents(paths):
    return {path.name: path.read_bytes() for path in paths}


def test_the_same_records_give_the_same_bytes(records, tmp_path):
    first = write_results(records, CLAIMS, NAMES, tmp_path / "a")
    with mpl.rc_context({"font.size": 30.0}):
        second = write_results(records.iloc[::-1], CLAIMS, NAMES, tmp_path / "b")
    assert contents(first) == contents(second)
    assert {"comparison.md", "han2016-mnist.md", "merging-mnist.md", "bits-mnist.md",
            "provenance.md", "records.csv", "accuracy-mnist-lenet5.svg",
            "merging-mnist-lenet5.svg"} <= set(contents(first))  # fmt: skip


def test_the_csv_redoes_everything(records, tmp_path):
    first = write_results(records, CLAIMS, NAMES, tmp_path / "a")
    again = write_results(read_csv(tmp_path / "a" / "records.csv"), CLAIMS, NAMES, tmp_path / "b")
    assert contents(first) == contents(again)


def test_tables_do_not_change_with_time_and_machine(records, tmp_path):
    other = records.assign(seconds=1.0, git_commit="f00", processor="another", finished="later")
    first = contents(write_results(records, CLAIMS, NAMES, tmp_path / "a"))
    second = contents(write_results(other, CLAIMS, NAMES, tmp_path / "b"))
    changed = {name for name in first if first[name] != second[name]}
    assert {name for name in changed if not name.startswith("provenance.")} == {"records.csv"}


def test_pages_end_with_their_command_and_figures_are_small(records, tmp_path):
    for path in write_results(records, CLAIMS, NAMES, tmp_path):
        if path.suffix == ".md":
            last = path.read_text().splitlines()[-1]
            assert COMMAND in last
            *suite, data = path.stem.split("-")
            asked = f"--data {data if suite else 'DATA'} --seeds 0,1,2`."
            of_one = suite if suite and suite[0] not in ("merging", "bits") else []
            assert last.endswith(" ".join(["`clusterpress reproduce", *of_one, asked])), path.name
        if path.suffix == ".svg":
            assert path.stat().st_size < 200_000
            assert b"<dc:date>" not in path.read_bytes()


def test_a_suites_page_shows_stages_ratios_and_bytes(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    page = (tmp_path / "tables" / "han2016-mnist.md").read_text()
    for part in ("after share", "1.10", "0.80 ± 0.05", "-0.01 ± 0.02", "33.60", "44,001", "40,181",
                 "43,000", "1,500", "2,320", "wait"):  # fmt: skip
        assert (part in page) == (part != "wait"), part


def test_the_comparison_page_tells_status_condition_and_need(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    page = (tmp_path / "tables" / "comparison.md").read_text()
    for part in ("≥ 30x (found)", "without loss", "40.10x ± 0.25 (n = 3)", "+1.10x",
                 "needs ImageNet", "| doubtful |", "last (paper: unknown)"):  # fmt: skip
        assert part in page


def test_console_prints_the_cells_of_the_page(records):
    compared = comparison(records, CLAIMS, NAMES)
    buffer = io.StringIO()
    console(compared, Console(file=buffer, width=400))
    for row in measured_cells(compared):
        assert all(cell in buffer.getvalue() for cell in row.values())
    assert "needs ImageNet" in buffer.getvalue()


def test_one_run_says_so_everywhere(tmp_path):
    records = read_records(store_of(tmp_path / "store", [make_record()]))
    write_results(records, CLAIMS, NAMES, tmp_path)
    for name in ("comparison", "han2016-mnist"):
        assert "n = 1, no interval" in (tmp_path / "tables" / f"{name}.md").read_text()


def test_nothing_measured_still_writes(tmp_path):
    paths = write_results(read_records(tmp_path), CLAIMS, NAMES, tmp_path)
    pages = {path.name for path in paths if path.suffix == ".md"}
    assert pages == {"comparison.md", "provenance.md"}


def test_stale_is_silent_after_writing_and_sees_one_changed_digit(records, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(README)
    write_results(records, CLAIMS, NAMES, tmp_path)
    assert update_readme(readme, comparison(records, CLAIMS, NAMES))
    assert not update_readme(readme, comparison(records, CLAIMS, NAMES))
    assert stale(CLAIMS, NAMES, tmp_path, readme) == []
    for path in (readme, tmp_path / "tables" / "han2016-mnist.md"):
        text = path.read_text()
        path.write_text(text.replace("0.05", "0.04", 1) if "0.05" in text else "")
        assert [str(path) in problem for problem in stale(CLAIMS, NAMES, tmp_path, readme)] == [
            True
        ]
        path.write_text(text)


def test_stale_names_missing_and_left_over_tables(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    (tmp_path / "tables" / "comparison.md").unlink()
    (tmp_path / "tables" / "old.md").write_text("x")
    missing, left_over = stale(CLAIMS, NAMES, tmp_path)
    assert "comparison.md is missing" in missing
    assert "remove it" in left_over


def test_stale_needs_the_csv(tmp_path):
    with pytest.raises(DataError, match=r"records\.csv"):
        stale(CLAIMS, NAMES, tmp_path)


def test_the_readme_keeps_what_stands_around_the_block(records, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(README)
    update_readme(readme, comparison(records, CLAIMS, NAMES))
    text = readme.read_text()
    assert text.startswith("# Head\n")
    assert text.endswith("\n\ntail\n")
    assert "old" not in text
    assert "1 more claims wait" in text
    assert "clusterpress results --records results/records.csv" in text


def test_runs_of_an_existing_csv_are_not_lost_unasked(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    before = (tmp_path / "records.csv").read_bytes()
    fewer = records[records["id"] != "p-1"]
    with pytest.raises(ConfigError, match=r"holds 1 runs .* such as p-1; .*--replace"):
        write_results(fewer, CLAIMS, NAMES, tmp_path)
    assert (tmp_path / "records.csv").read_bytes() == before
    write_results(fewer, CLAIMS, NAMES, tmp_path, replace=True)
    assert len(read_csv(tmp_path / "records.csv")) == len(fewer)
    write_results(records, CLAIMS, NAMES, tmp_path)


def test_records_of_several_stores_are_put_together(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    before = (tmp_path / "records.csv").read_bytes()
    written = read_csv(tmp_path / "records.csv")
    one = written[written["id"] == "p-1"]
    for new, old in ((one, written), (written, one), (one, written[written["id"] != "p-1"])):
        write_csv(together(new, old), tmp_path / "records.csv")
        assert (tmp_path / "records.csv").read_bytes() == before
    again = together(one.assign(id="other", top1_error=9.0), written)
    assert list(again[again["top1_error"] == 9.0]["id"]) == ["other"]
    assert len(again) == len(written)
    newer = written[written["id"] != "p-1"], one.assign(id="newer", artifact_version=9)
    assert "newer" in set(together(written, pd.concat(newer))["id"])


def test_a_csv_whose_ids_cannot_be_read_is_not_overwritten_unasked(records, tmp_path):
    (tmp_path / "records.csv").write_text("my notes\nof today\n")
    with pytest.raises(ConfigError, match=r"run ids .* cannot be read.*--replace"):
        write_results(records, CLAIMS, NAMES, tmp_path)
    write_results(records, CLAIMS, NAMES, tmp_path, replace=True)


def test_left_over_pages_and_figures_go_and_nothing_else_does(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    old = [tmp_path / "tables" / "old.md", tmp_path / "figures" / "old.svg"]
    kept = [tmp_path / "tables" / "notes.txt", tmp_path / "old.md", tmp_path / "figures" / "a.png"]
    for path in (*old, *kept):
        path.write_text("x")
    assert sorted(str(path) for path in old) == sorted(
        sentence.split(" is not among")[0] for sentence in stale(CLAIMS, NAMES, tmp_path)
    )
    write_results(records, CLAIMS, NAMES, tmp_path)
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in kept)


def test_stale_names_a_missing_figure(records, tmp_path):
    write_results(records, CLAIMS, NAMES, tmp_path)
    (tmp_path / "figures" / "merging-mnist-lenet5.svg").unlink()
    (sentence,) = stale(CLAIMS, NAMES, tmp_path)
    assert "merging-mnist-lenet5.svg is missing" in sentence


@pytest.mark.parametrize("text", ["none", "<!-- results:end --> <!-- results:begin -->"])
def test_a_readme_without_the_marks_is_refused(records, tmp_path, text):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(ConfigError, match="results:begin"):
        update_readme(readme, comparison(records, CLAIMS, NAMES))
    assert readme.read_text() == text


def test_a_folder_that_cannot_be_written_is_one_clear_error(records, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_results(records, CLAIMS, NAMES, tmp_path / "file")


def test_results_need_no_readme_where_there_is_none(records, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv(records, tmp_path / "mine.csv")
    arguments = ["results", "--folder", "out"]
    written = CliRunner().invoke(app, [*arguments, "--records", "mine.csv"])
    assert written.exit_code == 0, written.output
    assert CliRunner().invoke(app, [*arguments, "--check"]).exit_code == 0
    with pytest.raises(ConfigError, match=r"nowhere\.md cannot be read"):
        update_readme(tmp_path / "nowhere.md", comparison(records, CLAIMS, NAMES))
