"""What the page holds is what the records say, and nothing is loaded from elsewhere."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clusterpress.report import write_report
from clusterpress.report.points import points
from clusterpress.results import read_records
from tests.results.synthetic import make_record, store_of

from .conftest import NAMES, data_of


def test_the_points_are_those_of_the_records(page: Path, records) -> None:
    data = data_of(page)
    point, loose = data["points"]
    runs = records[records["point"] == "p"]
    assert (point["suite"], point["name"]) == ("han2016", "lenet5")
    assert point["error"]["mean"] == pytest.approx(runs["top1_error"].mean())
    assert point["error"]["n"] == 3
    assert point["change"]["half"] > 0
    assert "fc_only" not in point["ratios"]
    assert [stage["name"] for stage in point["stages"]] == ["baseline", "share", "finetune"]
    assert point["command"] == (
        "clusterpress run -m data=mnist 'method.steps.prune.keep={conv: 0.5}' seed=0,1,2"
    )
    assert loose["suite"] == "no suite"
    assert loose["error"] == {"mean": 0.5, "std": None, "half": None, "n": 1}
    assert data["runs"] == 4


def test_the_details_are_the_ledger_the_kernels_and_the_curves(page: Path) -> None:
    data = data_of(page)
    found = data["details"]["p-0"]
    assert [layer["layer"] for layer in found["layers"]] == ["0"]
    assert set(found["layers"][0]["parts"]) == {"index", "scale", "codebook", "bias"}
    (book,) = found["kernels"]
    assert book["uses"] == [2, 2, 1, 1]
    assert all(max(map(abs, values)) == 127 for values in book["values"])
    assert found["curves"] == [
        {"name": "finetune", "loss": [[0, 0.4], [1, 0.3]], "error": [[0, 2.5], [1, 2.25]]}
    ]


@pytest.mark.parametrize(
    "damage", ["2,,,,nan,\n1e999,,,,1,inf\n", "oh,,,,no,\n", '"' + "\0" * 140_000]
)
def test_a_damaged_curve_is_read_as_far_as_it_is_whole(store, records, tmp_path, damage) -> None:
    curve = store / "logs" / "c-finetune" / "metrics.csv"
    curve.write_text(curve.read_text() + damage)
    write_report(records, [], NAMES, tmp_path / "page.html", commands={}, store=store)
    found = data_of(tmp_path / "page.html")["details"]["p-0"]
    assert found["layers"]
    assert found["curves"] == [
        {"name": "finetune", "loss": [[0, 0.4], [1, 0.3]], "error": [[0, 2.5], [1, 2.25]]}
    ]


def test_the_page_is_one_file_that_loads_nothing(page: Path) -> None:
    text = page.read_text()
    own = re.sub(r'id="packed-plotly">[^<]*', "", text) + json.dumps(data_of(page))
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", own)
    assert "http" not in own
    assert page.stat().st_size < 6_000_000


def test_the_same_records_give_the_same_bytes(page: Path, records, store: Path) -> None:
    paths = [page.with_name(name) for name in ("one.html", "two.html")]
    for path in paths:
        write_report(records, [], NAMES, path, commands={}, store=store)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_without_the_store_there_are_no_details(page: Path, records) -> None:
    path = page.with_name("bare.html")
    write_report(records, [], NAMES, path, commands={})
    assert data_of(path)["details"] == {}


def test_a_damaged_record_costs_its_details_alone(page: Path, records, store: Path) -> None:
    shutil.rmtree(store / "logs")
    (store / "runs/p-0/record.json").write_text("{")
    path = page.with_name("damaged.html")
    write_report(records, [], NAMES, path, commands={}, store=store)
    assert len(data_of(path)["points"]) == 2
    assert "p-0" not in data_of(path)["details"]


def test_what_a_run_of_no_kernels_is_takes_no_torch():
    program = "import sys, clusterpress.report.run_details; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_shared_baseline_has_no_interval(tmp_path: Path) -> None:
    runs = [make_record(seed=seed, baseline_seed=0, baseline_top1_error=0.5) for seed in range(3)]
    shown = points(read_records(store_of(tmp_path, runs)), NAMES, {}).points[0]
    assert shown["baseline"] == {"mean": 0.5, "std": None, "half": None, "n": 1}
    assert shown["change"]["n"] == shown["error"]["n"] == 3


def test_baselines_of_one_seed_on_two_machines_are_two_in_each_point(tmp_path: Path) -> None:
    runs = [
        make_record(point, seed, baseline_seed=0, baseline_top1_error=error)
        for point in ("p", "q")
        for seed, error in enumerate((0.5, 0.5, 0.7))
    ]
    shown = points(read_records(store_of(tmp_path, runs)), NAMES, {}).points
    assert [point["baselines"] for point in shown] == [2, 2]
    assert [point["baseline"]["n"] for point in shown] == [2, 2]
    assert [point["baseline"]["mean"] for point in shown] == pytest.approx([0.6, 0.6])
