import math
import re

import numpy as np
import pandas as pd
import pytest

from clusterpress.results import comparison, drawing, read_records, write_results
from clusterpress.results.accuracy_figure import accuracy
from clusterpress.results.cells import measured_cells
from clusterpress.results.claims import AtRatio
from clusterpress.results.curves import bits, merging
from clusterpress.results.figures import figure_names, figures, merging_drawing
from clusterpress.results.layout import tables
from clusterpress.results.markdown import markdown
from clusterpress.results.merging_figure import merging_figure
from clusterpress.results.names import control_of, named_runs
from clusterpress.results.readme import readme_block
from clusterpress.results.suites import suite_page
from clusterpress.results.tables import comparison_page, pages, provenance_page
from tests.results.synthetic import NAMES, make_claim, make_record, store_of


def test_what_is_our_own_never_stands_as_the_papers_number(records):
    reading = {"quantity": "error_change", "relation": "≤", "value": "0", "status": "inferred"}
    derived = {"value": "33.6", "convention": "han2016", "status": "derived", "no_number": True}
    lossless = make_claim(max_error_change=0.0)
    claims = [lossless, make_claim(id="r", **reading), make_claim(id="d", **derived)]
    compared = comparison(records, claims, NAMES)
    paper, read, counted = measured_cells(compared)
    assert (paper["paper's number"], paper["verdict"]) == ("39.0x (found)", "exceeded")
    for cells in (read, counted):
        assert cells["paper's number"] == cells["Δ paper"] == "–"
    assert read["claim"] == "change of top-1 error ≤ 0 points (our reading)"
    assert read["verdict"] == "holds"
    assert counted["claim"] == "compression ratio by `han2016` = 33.6x (our arithmetic)"
    assert counted["verdict"] == "arithmetic agrees"
    block = readme_block(compared)
    assert "39.0x (found)" in block
    assert "holds" not in block
    assert "arithmetic agrees" not in block
    assert "0 more claims wait" in block


@pytest.mark.parametrize(
    ("printed", "shown"), [("0.80", "0.80 %"), ("12.0", "12.0 %"), ("40", "40 %")]
)
def test_the_papers_number_keeps_its_digits(records, printed, shown):
    claim = make_claim(quantity="top1_error", value=printed, with_ratio=AtRatio("han2016", 33))
    (cells,) = measured_cells(comparison(records, [claim], NAMES))
    assert cells["paper's number"] == f"{shown} (found)"
    assert cells["claim"] == "top-1 error, at 33x by `han2016` or more"


def test_a_size_is_shown_in_whole_bytes(records):
    claim = make_claim(quantity="baseline_bytes", value="58.8e6")
    (cells,) = measured_cells(comparison(records, [claim], NAMES))
    assert cells["paper's number"] == "58,800,000 bytes (found)"


def test_a_suites_page_sets_its_points_against_its_own_none(tmp_path):
    runs = [make_record(seed=seed, top1_error=0.9 + seed / 1e4) for seed in range(2)]
    runs += [make_record("plain", seed, method="none", top1_error=0.7) for seed in range(2)]
    names = {"p": [("han2016", "lenet5")], "plain": [("han2016", "lenet5-none")]}
    page = markdown(
        suite_page("han2016", "mnist", named_runs(read_records(store_of(tmp_path, runs)), names))
    )
    header, _, point, none = [line for line in page.splitlines() if line.startswith("|")][:4]
    assert header.endswith("| change to none | p (Holm), change to none |")
    assert point.endswith("| +0.20 ± 0.00 | < 0.001 |")
    assert none.endswith("| – | – |")
    assert "README.md#how-each-number-is-counted" in page


def test_a_none_serves_the_points_that_its_name_begins():
    names = ["a-none", "a", "a-long", "a-long-none", "a-long-x", "a_bn", "b"]
    found = {name: control_of(name, names) for name in names}
    assert found == {
        **{"a": "a-none", "a-long": "a-long-none", "a-long-x": "a-long-none"},
        **dict.fromkeys(["a-none", "a-long-none", "a_bn", "b"]),
    }


def test_a_control_that_was_not_run_is_replaced_by_no_other(tmp_path):
    records = [make_record("p"), make_record("plain", method="none")]
    names = {"p": [("han2016", "lenet5-long")], "plain": [("han2016", "lenet5-none")]}
    runs = named_runs(read_records(store_of(tmp_path, records)), names)
    assert "change to none" in markdown(suite_page("han2016", "mnist", runs))
    page = suite_page("han2016", "mnist", runs, ["lenet5-long-none"])
    assert "change to none" not in markdown(page)


def test_a_curve_takes_no_control_of_another_papers_suite(tmp_path):
    records = [make_record("merged", method="wang2020"), make_record("plain", method="none")]
    merged = {"merged": [("wang2020", "lenet5-keep0.5")]}
    for suite, found in (("liu2019", ""), ("controls", "lenet5-none"), ("wang2020", "lenet5-none")):
        names = {**merged, "plain": [(suite, "lenet5-none")]}
        runs = named_runs(read_records(store_of(tmp_path / suite, records)), names)
        (row,) = merging(runs).to_dict("records")
        assert row["control"] == found


def test_without_a_none_in_the_suite_there_is_no_such_column(records):
    runs = named_runs(records, {"p": NAMES["p"]})
    assert "change to none" not in markdown(suite_page("han2016", "mnist", runs))


@pytest.mark.parametrize(
    ("stages", "before", "after"),
    [
        ("baseline share", 2.0, math.nan),
        ("baseline merge finetune", 2.0, 0.5),
        ("baseline prune retrain share finetune", 4.0, 0.5),
        ("baseline narrow reinitialize train", math.nan, 0.5),
        ("baseline finetune", 1.0, 0.5),
    ],
)
def test_before_and_after_fine_tuning(tmp_path, stages, before, after):
    done = [{"name": n, "top1_error": float(i)} for i, n in enumerate(stages.split(), 1)]
    store = store_of(tmp_path, [make_record("k", stages=done, top1_error=0.5)])
    curve = merging(named_runs(read_records(store), {"k": [("s", "lenet5-keep0.5")]}))
    found = [curve[name].iloc[0].mean for name in ("before", "after")]
    assert found == pytest.approx([before, after], nan_ok=True)


def test_each_profile_has_a_merging_figure_of_its_own(tmp_path):
    runs = [
        make_record(f"{profile}{number}", profile=profile, method="wang2020", top1_error=1.0)
        for profile in ("cpu", "paper")
        for number in range(2)
    ]
    names = {f"{p}{n}": [("s", f"lenet5-keep0.{n + 4}")] for p in ("cpu", "paper") for n in (0, 1)}
    found = figure_names(read_records(store_of(tmp_path, runs)), names)
    wanted = {"merging-mnist-lenet5.svg", "merging-mnist-lenet5-paper.svg"}
    assert wanted == {name for name in found if name.startswith("merging")}


def test_process_hours_are_those_of_the_runs_themselves(records, tmp_path):
    write_results(records.assign(seconds=3600.0), [], NAMES, tmp_path)
    page = (tmp_path / "tables" / "provenance.md").read_text()
    assert "process hours" in page
    assert f"{len(records):.2f}" in page
    assert "nor are the runs whose records these have replaced" in page


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


def test_a_share_of_parameters_removed_stands_at_the_keep_ratio_that_was_solved(tmp_path):
    stages = make_record()["stages"]
    merged = {**stages[1], "name": "merge", "facts": {"keep": 0.264}}
    store = store_of(tmp_path, [make_record("w", stages=[stages[0], merged, stages[2]])])
    runs = named_runs(read_records(store), {"w": [("wang2020", "vgg16-removed92.96")]})
    assert list(merging(runs)["keep"]) == [0.264]


def test_layers_with_widths_of_their_own_stand_at_the_share_of_neurons_left(tmp_path):
    stages = make_record()["stages"]
    facts = {"widths_before": {"a": 20, "b": 80}, "widths_after": {"a": 15, "b": 10}}
    merged = {**stages[1], "name": "merge", "facts": facts}
    changed = {"method": "l1_neurons", "stages": [stages[0], merged, stages[2]]}
    store = store_of(tmp_path, [make_record("w", **changed)])
    names = {"w": [("controls", "lenet5-removed91-widths-l1")]}
    curve = merging(named_runs(read_records(store), names))
    assert list(curve["keep"]) == [0.25]
    assert list(curve["method"]) == ["l1_neurons (widths)"]


def test_profiles_of_one_name_are_not_mixed(tmp_path):
    records = [
        make_record(f"{profile}-{method}", method=method, profile=profile, top1_error=error)
        for profile, error in (("cpu", 2.0), ("paper", 1.0))
        for method in ("none", "wang2020")
    ]
    names = {f"{p}-{m}": [("s", f"lenet5-{n}")] for p in ("cpu", "paper")
             for m, n in (("none", "none"), ("wang2020", "keep0.5"))}  # fmt: skip
    runs = named_runs(read_records(store_of(tmp_path, records)), names)
    curve = merging(runs).set_index("profile")
    assert curve["control_point"].to_dict() == {"cpu": "cpu-none", "paper": "paper-none"}
    page = markdown(suite_page("s", "mnist", runs))
    assert "| lenet5-keep0.5 | 1 | 1 | cpu |" in page
    assert "| lenet5-keep0.5 | 1 | 1 | paper |" in page


def test_a_suites_page_counts_baselines_of_one_seed_on_two_machines_as_two(tmp_path):
    runs = [
        make_record(seed=seed, baseline_seed=0, baseline_top1_error=error)
        for seed, error in enumerate((0.5, 0.5, 0.7))
    ]
    named = named_runs(read_records(store_of(tmp_path, runs)), {"p": [("s", "lenet5")]})
    assert "| lenet5 | 3 | 2 | cpu |" in markdown(suite_page("s", "mnist", named))


def test_every_table_tells_the_profiles_apart(tmp_path):
    records = [make_record("p"), make_record("q", profile="paper")]
    runs = read_records(store_of(tmp_path, records))
    for suite, name in (("wu2019", "lenet5-4bit"), ("wang2020", "lenet5-keep0.5")):
        names = {point: [(suite, name)] for point in ("p", "q")}
        for place, page in pages(runs, comparison(runs, [], names), names).items():
            for _, title, each in tables(place, page):
                found = {row.get("profile") for row in each.rows}
                # Hours are of a suite, with both profiles in one row.
                assert found == {"cpu", "paper"} or title.endswith("baselines save"), title


def test_what_the_papers_own_schedules_owe_is_counted(tmp_path):
    claim = make_claim(data="cifar10", max_error_change=0.0)
    of_shapes = make_claim(data="cifar10")
    command = "reproduce han2016 --data cifar10 --set"
    for profile, owed in (("cpu", True), ("paper", False)):
        records = store_of(tmp_path / profile, [make_record(profile=profile, data="cifar10")])
        compared = comparison(read_records(records), [claim], NAMES)
        assert (command in markdown(comparison_page(compared))) == owed
        counted = comparison(read_records(records), [of_shapes], NAMES)
        assert command not in markdown(comparison_page(counted))


def test_points_trained_in_several_precisions_say_which(tmp_path):
    half = make_record("q")
    half["provenance"]["precision"] = "bf16"
    runs = read_records(store_of(tmp_path, [make_record("p"), half]))
    named = named_runs(runs, {"p": [("s", "a")], "q": [("s", "b")]})
    assert "| precision |" in markdown(suite_page("s", "mnist", named))
    assert "precision" not in markdown(suite_page("s", "mnist", named[named["name"] == "a"]))


def test_hours_count_a_shared_baseline_once(tmp_path):
    # Read again on another machine, a baseline takes another time and stays one.
    records = [make_record(point, stage_seconds=132.0 * 3600) for point in ("a", "b")]
    for record, hours in zip(records, (100.0, 101.0), strict=True):
        record["stages"][0]["seconds"] = hours * 3600
    names = {"a": [("s", "a")], "b": [("s", "b")]}
    page = markdown(provenance_page(read_records(store_of(tmp_path, records)), names))
    assert "| s | mnist | 2 | 1 | 100.00 | 63.00 | 163.00 | 264.00 |" in page


def test_bits_carry_the_squared_error_of_the_clustering(records):
    (row,) = bits(named_runs(records, NAMES)).to_dict("records")
    assert (row["bits"], row["method"], row["n"]) == (4, "optimal", 3)
    assert row["squared_error"].mean == pytest.approx(0.02)


def test_bits_are_compared_at_one_stage(tmp_path):
    shared = make_record("s")
    del shared["stages"][2]
    shared["top1_error"] = 1.10
    runs = read_records(store_of(tmp_path, [make_record("p"), shared]))
    names = {"p": [("wu2019", "lenet5-4bit")], "s": [("controls", "lenet5-4bit-linear")]}
    rows = {row["method"]: row for row in bits(named_runs(runs, names)).to_dict("records")}
    before = [rows[of]["change_before"].mean for of in ("optimal", "linear")]
    assert before == pytest.approx([0.3, 0.3])
    assert rows["optimal"]["change_after"].mean == pytest.approx(-0.02)
    assert rows["linear"]["change_after"].n == 0


def drawn(records, claims):
    return figures(records, claims, NAMES)["accuracy-mnist-lenet5.svg"].decode()


def test_marks_below_the_axis_are_counted(records):
    assert "lie below" not in drawn(records, [make_claim()])
    broken = records.assign(top1_error=records["top1_error"].where(records["point"] != "p", 50.0))
    found = re.search(r"(\d+) of \d+ marks lie below ([\d.]+) %", drawn(broken, [make_claim()]))
    assert found is not None
    assert found.groups() == ("4", "96.76")  # Two suites have it, each twice.


def test_points_of_a_network_that_no_paper_has_a_number_for_are_drawn(records):
    runs = named_runs(records, NAMES)
    axes = accuracy("t", runs, []).axes[0]
    suites = set(runs.loc[runs["method"] != "none", "suite"]) - {"controls"}
    assert len(axes.containers) == 2 * len(suites) > 0  # By the convention, and as files.
    assert all(len(each.lines[0].get_xdata()) for each in axes.containers)


def test_only_a_ratio_and_an_error_of_one_row_make_a_star(records):
    ratio = {"value": "39", "points": ("lenet5",)}
    error = make_claim(id="e", quantity="top1_error", value="0.74", row="A")

    def stars(claim):
        figure = accuracy("t", named_runs(records, NAMES), [claim, error])
        return [line for line in figure.axes[0].lines if line.get_marker() == "*"]

    assert len(stars(make_claim(**ratio, row="A"))) == 1
    assert not stars(make_claim(**ratio))
    assert not stars(make_claim(**ratio, row="B"))
    assert not stars(make_claim(**ratio, row="A", status="derived", no_number=True))


def test_controls_of_one_name_in_two_suites_are_not_mixed():
    short = [{"suite": "controls", "name": "lenet5-none", "point": "s", "top1_error": 1.0}]
    long = [{"suite": "han2016", "name": "lenet5-none", "point": "l", "top1_error": 0.5}]
    merged = [{"suite": "wang2020", "name": "lenet5-keep0.5", "point": "m", "top1_error": 1.5}]
    rows = [
        {**row, "seed": seed, "baseline_seed": seed, "model": "lenet5", "method": method,
         "parameters": 10, "baseline_parameters": 20,
         "data": "mnist", "stages": "baseline;merge;finetune",
         "error_after_merge": 2.0,
         "baseline_top1_error": 1.0, "error_after_finetune": row["top1_error"],
         "error_after_baseline": 1.0, "profile": "cpu", "selected": False}
        for method, group in (("none", long + short), ("wang2020", merged))
        for row in group
        for seed in range(3)
    ]  # fmt: skip
    (row,) = merging(pd.DataFrame(rows)).to_dict("records")
    assert row["control_point"] == "s"
    assert row["to_none"].mean == pytest.approx(0.5)


@pytest.mark.parametrize(("seeds", "bars"), [(1, 0), (2, 1)])
def test_a_single_run_has_no_error_bar(tmp_path, seeds, bars):
    runs = [make_record(seed=seed) for seed in range(seeds)]
    records = named_runs(read_records(store_of(tmp_path, runs)), {"p": NAMES["p"][:1]})
    axes = accuracy("t", records, []).axes[0]
    caps = [cap for container in axes.containers for cap in container.lines[1]]
    drawn = [np.isfinite(np.asarray(cap.get_ydata(), dtype=float)).sum() for cap in caps]
    assert drawn == [bars] * len(caps) != []


TWO = {"p": [("han2016", "first")], "q": [("han2016", "second")]}


def test_every_baseline_is_drawn_where_a_seed_has_several(tmp_path):
    runs = [make_record("p", seed) for seed in range(2)]
    runs += [make_record("q", seed, baseline_top1_error=0.5) for seed in range(2)]
    records = named_runs(read_records(store_of(tmp_path, runs)), TWO)
    for name, right in (("first", [99.195]), ("", [99.5, 99.2, 99.19])):
        (axes,) = accuracy("t", records[records["name"].str.startswith(name)], []).axes
        assert across(axes) == pytest.approx(right)


def across(axes):
    lines = [line for line in axes.get_lines() if list(line.get_xdata()) == [0, 1]]
    return [line.get_ydata()[0] for line in lines]


def test_a_suites_own_none_is_drawn_and_no_other(tmp_path):
    own = make_record("n", method="none", top1_error=0.7)
    other = make_record("c", method="none", top1_error=0.6)
    names = {"p": [("han2016", "lenet5")], "n": [("han2016", "lenet5-none")]}
    names["c"] = [("controls", "lenet5-none")]
    records = named_runs(read_records(store_of(tmp_path, [make_record("p"), own, other])), names)
    assert across(accuracy("t", records, []).axes[0]) == pytest.approx([99.3, 99.2])


def test_the_none_of_controls_stands_for_suites_without_one_and_once(tmp_path):
    runs = [make_record("p"), make_record("q"), make_record("c", method="none", top1_error=0.6)]
    names = {"p": [("wang2020", "lenet5-keep0.5")], "q": [("zhong2018", "lenet5-keep0.5")]}
    for control, lines in (("lenet5-none", [99.4, 99.2]), ("lenet5-x-none", [99.2])):
        known = {**names, "c": [("controls", control)]}
        records = named_runs(read_records(store_of(tmp_path / control, runs)), known)
        assert across(accuracy("t", records, []).axes[0]) == pytest.approx(lines)


def test_the_none_of_controls_recovers_and_serves_points_that_merge_alone(tmp_path):
    runs = [make_record("p"), make_record("c", method="none", top1_error=0.6)]
    names = {"p": [("wu2019", "lenet5-4bit")], "c": [("controls", "lenet5-none")]}
    records = named_runs(read_records(store_of(tmp_path, runs)), names)
    assert across(accuracy("t", records, []).axes[0]) == pytest.approx([99.2])


@pytest.mark.parametrize(("parameters", "lines"), [(431_080, [99.4, 99.2]), (431_000, [99.2])])
def test_the_none_of_another_network_of_the_same_name_serves_no_point(tmp_path, parameters, lines):
    control = {"method": "none", "top1_error": 0.6, "baseline_parameters": parameters}
    names = {"p": [("wang2020", "lenet5-keep0.5")], "c": [("controls", "lenet5-none")]}
    runs = store_of(tmp_path, [make_record("p"), make_record("c", **control)])
    figure = accuracy("t", named_runs(read_records(runs), names), [])
    assert across(figure.axes[0]) == pytest.approx(lines)


def test_a_none_is_one_line_for_all_suites_that_have_its_runs(tmp_path):
    """Also where nothing but it was run of a suite."""
    runs = [make_record("p"), make_record("c", method="none", top1_error=0.6)]
    names = {"p": [("han2016", "lenet5")]}
    names["c"] = [("han2016", "lenet5-none"), ("liu2019", "lenet5-none")]
    records = named_runs(read_records(store_of(tmp_path, runs)), names)
    axes = accuracy("t", records, []).axes[0]
    assert across(axes) == pytest.approx([99.4, 99.2])
    none, baseline = (line for line in axes.get_lines() if list(line.get_xdata()) == [0, 1])
    points = axes.containers[0].lines[0]
    assert len({none.get_color(), baseline.get_color(), points.get_color()}) == 3
    assert none.get_zorder() > baseline.get_zorder()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "han2016, liu2019: lenet5-none, the baseline trained on" in labels


def test_nones_of_one_suite_look_different_in_every_name_and_profile(tmp_path):
    starts = ["-".join("abcdefg"[:length]) for length in range(1, 8)]
    names = {f"{profile}_{start}": [("son2018", f"{start}-none")] for profile in ("cpu", "paper")
             for start in starts}  # fmt: skip
    runs = [make_record(point, method="none", profile=point.split("_")[0]) for point in names]
    records = read_records(store_of(tmp_path, [make_record("p"), *runs]))
    figure = accuracy("t", named_runs(records, {**names, "p": [("son2018", "a")]}), [])
    (axes,) = figure.axes
    lines = [line for line in axes.get_lines() if line.get_label().endswith("trained on")]
    assert len({(line.get_linewidth(), *dashes(figure, line)) for line in lines}) == len(names)
    assert max(sum(dashes(figure, line)) for line in lines) <= 4 * 7  # A sample in the legend.
    assert {line.get_color() for line in lines} == {"C0"}
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "son2018: a-b-none (paper), the baseline trained on" in labels
    assert len(set(labels)) == len(labels)


def dashes(figure, line):
    """Read the dashes of a line in points, as it is drawn."""
    line.set_gid("this")
    (drawn,) = re.findall(r'id="this">.*?</g>', drawing.drawn(figure).decode(), re.DOTALL)
    line.set_gid(None)
    return [float(length) for length in re.findall(r"dasharray: ([^;]+)", drawn)[0].split(",")]


def test_points_of_two_profiles_look_different(tmp_path):
    runs = read_records(store_of(tmp_path, [make_record("p"), make_record("q", profile="paper")]))
    names = {point: [("han2016", "lenet5")] for point in ("p", "q")}
    axes = accuracy("t", named_runs(runs, names), []).axes[0]
    labels = {f"han2016 ({profile}), ours by weights" for profile in ("cpu", "paper")}
    assert labels < {text.get_text() for text in axes.get_legend().get_texts()}
    assert len({container.lines[0].get_marker() for container in axes.containers}) == 2


def test_a_merging_figure_draws_every_baseline_too(tmp_path):
    names = {"p": [("s", "lenet5-keep0.5")], "q": [("s", "lenet5-keep0.2")]}
    runs = [make_record("p"), make_record("q", baseline_top1_error=0.5)]
    records = named_runs(read_records(store_of(tmp_path, runs)), names)
    figure = merging_figure("t", merging(records), records, records.iloc[:0])
    assert [across(axes) for axes in figure.axes] == [pytest.approx([0.5, 0.8])] * 2


def test_a_merging_figure_leaves_out_baselines_of_other_points(tmp_path):
    # As VGG-16 with two linear layers is another network than the one that was merged.
    names = {"p": [("s", "lenet5-keep0.5")], "q": [("s", "lenet5-4bit")]}
    runs = [make_record("p"), make_record("q", baseline_top1_error=0.5)]
    records = named_runs(read_records(store_of(tmp_path, runs)), names)
    figure = merging_drawing("t", records)()
    assert [across(axes) for axes in figure.axes] == [pytest.approx([0.8])] * 2


def test_a_merging_figure_draws_a_line_for_each_none_in_use(tmp_path):
    names = {"p": [("wang2020", "lenet5-keep0.5")], "q": [("li2017", "lenet5-keep0.2")]}
    names |= {"c": [("controls", "lenet5-none")]}
    names |= {"l": [("li2017", "lenet5-none"), ("zhong2018", "lenet5-none")]}
    runs = [make_record("p"), make_record("c", method="none", top1_error=0.6)]
    runs += [make_record("q"), make_record("l", method="none", top1_error=0.4)]
    named = [": controls lenet5-none", ": li2017 lenet5-none, zhong2018 lenet5-none"]
    for number, labels in ((2, [""]), (4, named)):
        records = named_runs(read_records(store_of(tmp_path / str(number), runs[:number])), names)
        figure = merging_drawing("t", records)()
        drawn = {line.get_label(): line for line in figure.axes[1].get_lines()}
        lines = [drawn[f"none (same extra epochs){label}"] for label in labels]
        assert [line.get_ydata()[0] for line in lines] == [0.6, 0.4][: len(lines)]
        assert len({tuple(dashes(figure, line)) for line in lines}) == len(lines)
