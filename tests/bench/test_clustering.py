"""The benchmark as a whole, on tiny sizes and without its peers."""

import csv
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from clusterpress.bench import clustering
from clusterpress.bench import rows as room
from clusterpress.bench.report import report
from clusterpress.bench.rows import COLUMNS, write

PEERS = ("coremltools", "ckwrap", "faiss", "flash1dkmeans", "kmeans1d", "sklearn.cluster")


@pytest.fixture
def bench(monkeypatch):
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delenv("CLUSTERPRESS_WEIGHTS", raising=False)
    app = typer.Typer()
    app.command()(clustering.main)
    return lambda *arguments: CliRunner().invoke(app, ["--quick", *arguments])


def read(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_quick_sizes_without_peers_measure_all_that_is_ours(bench, tmp_path):
    output = tmp_path / "new" / "clustering.csv"
    done = bench("--output", str(output))
    assert done.exit_code == 0, done.output
    rows = read(output)
    assert tuple(rows[0]) == COLUMNS
    assert COLUMNS[:10] == (
        *("case", "method", "n", "d", "k", "seconds"),
        *("relative_error", "peak_bytes", "cores", "versions"),
    )
    methods = {(row["case"], row["method"].removeprefix("clusterpress ")) for row in rows}
    assert methods >= {
        *(("scalars", name) for name in ("optimal", "optimal (exact)", "optimal_centers")),
        *(("VGG-16 fc6", name) for name in ("optimal_centers", "assign", "numpy sort")),
        *(("curve", name) for name in ("optimal", "optimal_centers", "optimal_curve")),
        *(("kernels iteration", name) for name in ("kmeans", "torch GEMM + argmin")),
        ("kernels whole", "kmeans"),
        *(("kernels transformed", name) for name in ("kmeans", "transform_invariant T=8")),
        *(("agglomerative", name) for name in ("agglomerate", "GEMM distances + scipy linkage")),
    }
    assert not [row for row in rows if "scikit-learn" in row["method"]]
    assert all(float(row["relative_error"] or 0) > -1e-6 for row in rows)
    for line in (
        "kmeans1d skipped: ModuleNotFoundError",
        "LeNet-5 fc1 skipped: CLUSTERPRESS_WEIGHTS is not set",
        "Quick sizes: no target is measured.",
    ):
        assert line in done.output


def test_one_case_leaves_the_others_rows_in_the_file(bench, row, tmp_path):
    output = tmp_path / "clustering.csv"
    write(output, [row(case="curve", method="old"), row(case="scalars", method="old")])
    done = bench("--only", "curve", "--output", str(output))
    assert done.exit_code == 0, done.output
    rows = read(output)
    assert [row["method"] for row in rows if row["case"] == "scalars"] == ["old"]
    assert "old" not in [row["method"] for row in rows if row["case"] == "curve"]
    assert rows[0]["case"] == "curve"


def test_the_page_is_made_from_the_file_alone(bench, tmp_path):
    output = tmp_path / "clustering.csv"
    assert bench("--only", "curve", "--output", str(output)).exit_code == 0
    page = output.with_suffix(".md").read_text()
    assert page == report(room.read(output))
    assert "## curve: n = 4,000, k = 16" in page
    assert page.count("| not measured |") > 20


def test_rows_come_back_as_they_were_written(row, tmp_path):
    rows = [row(seconds=1.25, relative_error=None, peak_bytes=None), row(k=None, peak_bytes=7)]
    write(tmp_path / "rows.csv", rows)
    assert room.read(tmp_path / "rows.csv") == rows


def test_the_committed_page_is_not_stale():
    path = Path(__file__).parents[2] / clustering.OUTPUT
    assert path.with_suffix(".md").read_text() == report(room.read(path))


def test_quick_sizes_write_nothing_unless_asked(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert bench("--only", "curve").exit_code == 0
    assert not list(tmp_path.iterdir())


def test_an_unknown_case_is_refused(bench):
    done = bench("--only", "scalar")
    assert done.exit_code == 2
    assert "'scalar' is none of scalars" in done.output
