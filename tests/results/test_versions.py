"""Seeds of several versions are never averaged without a word."""

import pytest

from clusterpress.report.points import points
from clusterpress.results import comparison, read_records
from clusterpress.results.cells import measured_cells
from clusterpress.results.markdown import markdown
from clusterpress.results.names import named_runs
from clusterpress.results.tables import pages
from clusterpress.results.versions import mixed_note, mixture
from tests.results.synthetic import make_claim, make_record, store_of

NAMES = {"p": [("han2016", "lenet5-4bit"), ("wang2020", "lenet5-keep0.5")],
         "q": [("han2016", "lenet5-5bit")]}  # fmt: skip
WORDS = "seed 0 of file format 1; seeds 1, 2 of file format 2"


def records_of(tmp_path, **versions):
    """Three seeds of p with these versions, one for each seed, and three of q with one."""
    mixed = [
        make_record("p", seed, **{name: of[seed] for name, of in versions.items()})
        for seed in range(3)
    ]
    return read_records(store_of(tmp_path, [*mixed, *(make_record("q", s) for s in range(3))]))


def test_what_is_of_one_version_needs_no_word(tmp_path):
    records = records_of(tmp_path, artifact_version=[2, 2, 2])
    assert all(mixture(rows) == "" for _, rows in records.groupby("point"))
    assert not any("version" in markdown(page) for page in pages(
        records, comparison(records, [], NAMES), NAMES).values())  # fmt: skip


@pytest.mark.parametrize("name", ["artifact_version", "evaluation_version"])
def test_every_page_that_averages_several_versions_says_so(tmp_path, name):
    records = records_of(tmp_path, **{name: [1, 2, 2]})
    compared = comparison(records, [make_claim(points=("lenet5-4bit",))], NAMES)
    said = {place: markdown(page) for place, page in pages(records, compared, NAMES).items()}
    words = WORDS.replace("file format", "evaluation") if name == "evaluation_version" else WORDS
    for place in ("han2016-mnist", "wang2020-mnist", "bits-mnist", "merging-mnist", "comparison"):
        assert words in said[place], place
    assert f"lenet5-4bit ({words})" in said["han2016-mnist"]
    assert "lenet5-5bit (seed" not in said["han2016-mnist"]
    (cells,) = measured_cells(compared)
    assert cells["ours"].endswith(f"(n = 3; {words})")


def test_the_report_says_it_too(tmp_path):
    shown = points(records_of(tmp_path, artifact_version=[1, 2, 2]), NAMES, {}).points
    assert {(point["name"], point["versions"]) for point in shown} == {
        ("lenet5-4bit", WORDS), ("lenet5-keep0.5", WORDS), ("lenet5-5bit", "")
    }  # fmt: skip


def test_both_versions_may_differ(tmp_path):
    both = {"artifact_version": [1, 2, 2], "evaluation_version": [1, 1, 2]}
    runs = named_runs(records_of(tmp_path, **both), NAMES)
    assert mixture(runs[runs["point"] == "p"]) == (
        "seed 0 of file format 1 and evaluation 1; seed 1 of file format 2 and evaluation 1; "
        "seed 2 of file format 2 and evaluation 2"
    )
    assert mixed_note([]) == ""
