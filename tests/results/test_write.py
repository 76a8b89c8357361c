import io

import matplotlib as mpl
import pytest
from rich.console import Console

from clusterpress.errors import ConfigError, DataError, StoreError
from clusterpress.results import (
    comparison,
    console,
    read_csv,
    read_records,
    stale,
    update_readme,
    write_results,
)
from clusterpress.results.cells import measured_cells
from clusterpress.results.curves import bits, merging
from clusterpress.results.names import named_runs
from tests.results.synthetic import NAMES, make_claim, make_record, store_of

CLAIMS = [
    make_claim(),
    make_claim(id="e", quantity="top1_error", value=0.74),
    make_claim(id="l", relation="≥", value=30.0, max_error_change=0.0, convention="han2016"),
    make_claim(id="s", paper="son2018", points=(), needs="ImageNet", note="doubtful"),
]
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


def test_the_csv_alone_redoes_everything(records, tmp_path):
    first = write_results(records, CLAIMS, NAMES, tmp_path / "a")
    again = write_results(read_csv(tmp_path / "a" / "records.csv"), CLAIMS, NAMES, tmp_path / "b")
    assert contents(first) == contents(again)


def test_tables_do_not_change_with_time_and_machine(records, tmp_path):
    other = records.assign(seconds=1.0, git_commit="f00", processor="another", finished="later")
    first = contents(write_results(records, CLAIMS, NAMES, tmp_path / "a"))
    second = contents(write_results(other, CLAIMS, NAMES, tmp_path / "b"))
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"records.csv", "provenance.md"}


def test_pages_end_with_their_command_and_figures_are_small(records, tmp_path):
    for path in write_results(records, CLAIMS, NAMES, tmp_path):
        if path.suffix == ".md":
            assert path.read_text().splitlines()[-1].endswith("recompute with `make results`.")
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
    assert {path.name for path in paths} == {"records.csv", "comparison.md", "provenance.md"}


def test_merging_is_set_against_none_paired_by_seed(records):
    curve = merging(named_runs(records, NAMES)).set_index(["keep", "method"])
    assert set(curve.index) == {
        (keep, method) for keep in (0.5, 0.25) for method in ("wang2020", "random_merge")
    }
    row = curve.loc[(0.25, "wang2020")]
    assert row["before"].mean == 1.10
    assert row["after"].mean == 0.85
    assert row["to_none"].mean == pytest.approx(0.15)


def test_variants_of_a_method_have_their_own_line(tmp_path):
    store = store_of(tmp_path, [make_record("w", method="wang2020")])
    runs = named_runs(read_records(store), {"w": [("wang2020", "lenet5-keep0.1-ward")]})
    assert list(merging(runs)["method"]) == ["wang2020 (ward)"]
    assert merging(runs)["to_none"].iloc[0].n == 0


def test_bits_carry_the_squared_error_of_the_clustering(records):
    (row,) = bits(named_runs(records, NAMES)).to_dict("records")
    assert (row["bits"], row["method"], row["n"]) == (4, "optimal", 3)
    assert row["squared_error"].mean == pytest.approx(0.02)


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
