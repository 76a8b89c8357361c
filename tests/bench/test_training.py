"""The benchmark of training as a whole, on tiny sizes; what it must show comes from its rows."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from clusterpress.bench import rows as room
from clusterpress.bench import training
from clusterpress.bench.training_cases import (
    ALONE,
    AUGMENTING,
    BARE,
    BATCHED,
    FLOATS,
    FULL,
    LOADING,
    LOOPS,
    OURS,
    PRECISIONS,
    STEPS,
    WORKERS,
    Bench,
    Sizes,
)
from clusterpress.bench.training_loops import (
    BATCH,
    KEPT,
    KERNELS,
    Task,
    bare,
    network,
    ours,
    random_images,
)
from clusterpress.bench.training_report import TARGETS, report, verdicts
from clusterpress.codes import code_of, weight_layers

STALE = "results/bench/training.md is stale; run make bench-training"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(training, "QUICK", Sizes({"lenet300_100": 1}, rounds=1, augmented=4))
    app = typer.Typer()
    app.command()(training.main)
    return lambda *arguments: CliRunner().invoke(app, ["--quick", *arguments])


def test_quick_sizes_measure_loops_codes_and_augmentation(bench, tmp_path):
    output = tmp_path / "new" / "training.csv"
    only = [part for case in ("loops", "steps", "augmenting") for part in ("--only", case)]
    done = bench(*only, "--output", str(output))
    assert done.exit_code == 0, done.output
    assert "Quick sizes: no target is measured." in done.output
    rows = room.read(output)
    assert {(row.case, row.method) for row in rows} >= {
        (f"{LOOPS}, lenet300_100", OURS),
        (f"{LOOPS}, lenet300_100", BARE),
        *((f"{STEPS}, lenet300_100", code) for code in ("dense", "shared", "masked, shared")),
        (AUGMENTING, BATCHED),
    }
    assert all("processor " in row.versions and row.seconds > 0 for row in rows)
    assert output.with_suffix(".md").read_text() == report(rows)


def test_an_unknown_case_is_refused(bench):
    done = bench("--only", "loop")
    assert done.exit_code == 2
    assert "'loop' is none of loops" in done.output


def test_a_method_that_fails_is_left_out_and_the_others_go_on(capsys):
    def broken() -> float:
        raise ImportError("no such loop")

    console = training.Console()
    measured = Bench(Sizes({}, rounds=3), console, "some processor")
    measured.compare("case", 10, {"ours": lambda: 2.0, "theirs": broken})
    assert [(row.method, row.seconds, row.repeats) for row in measured.rows] == [("ours", 2.0, 3)]
    assert "theirs skipped: ImportError: no such loop" in capsys.readouterr().out


@pytest.mark.parametrize("loop", [ours, bare])
def test_every_loop_trains_the_network(loop):
    task = Task(network("lenet300_100"), random_images((1, 28, 28), BATCH + 2))
    before = [parameter.clone() for parameter in task.network.parameters()]
    assert loop(task) > 0
    now = zip(before, task.network.parameters(), strict=True)
    assert not all(old.equal(new) for old, new in now)


@pytest.mark.parametrize("code", ["shared", "masked", "masked, shared"])
def test_a_coded_network_is_coded_throughout(code):
    for _, layer in weight_layers(network("lenet300_100", code)):
        assert code_of(layer) is not None
        share = float((layer.weight != 0).float().mean())
        assert (share == pytest.approx(KEPT, abs=0.01)) == code.startswith("masked")


@pytest.mark.parametrize("code", KERNELS)
def test_shared_kernels_are_those_of_one_set(code):
    codes = [code_of(layer) for _, layer in weight_layers(network("alexnet32", code))]
    held = [each for each in codes if each is not None]
    assert held
    assert len({id(each.kernel_set) for each in held}) == 1
    assert {each.transform_count for each in held} == {KERNELS[code][1]}


def test_verdicts_come_from_the_rows(row):
    assert len(verdicts([])) == len(TARGETS)
    assert all(verdict.judgement == "not measured" for verdict in verdicts([]))
    count = FULL.batches["vgg16"] * BATCH
    rows = [
        row(f"{LOOPS}, vgg16", OURS, count, seconds=1.0),
        row(f"{LOOPS}, vgg16", BARE, count, seconds=0.96),
        row(f"{PRECISIONS}, vgg16", f"{OURS}, bf16", count, seconds=1.0),
        row(f"{PRECISIONS}, vgg16", f"{BARE}, bf16", count, seconds=0.9),
        row(f"{STEPS}, vgg16", "dense", count, seconds=1.0),
        row(f"{STEPS}, vgg16", "shared", count, seconds=1.16),
        row(AUGMENTING, BATCHED, FULL.augmented, seconds=FULL.augmented / 24_000),
    ]
    found = [each.judgement for each in verdicts(rows) if each.measured]
    assert found == ["met", "missed", "missed", "missed"]


@pytest.mark.parametrize(("ours_seconds", "judgement"), [(1.0, "missed"), (0.9, "met")])
@pytest.mark.parametrize("precision", FLOATS)
def test_loading_is_held_against_the_fastest_of_its_precision(
    row, precision, ours_seconds, judgement
):
    case, count = f"{LOADING}, lenet5", FULL.batches["lenet5"] * BATCH
    (other,) = (each for each in FLOATS if each != precision)
    seconds = {OURS: ours_seconds, ALONE: 2.9, WORKERS: 4.0}
    rows = [row(case, f"{who}, {precision}", count, seconds=time) for who, time in seconds.items()]
    rows += [row(case, f"{who}, {other}", count, seconds=0.1) for who in (ALONE, WORKERS)]
    assert [each.judgement for each in verdicts(rows) if each.measured] == [judgement]


def test_cases_of_several_processors_say_which(row):
    rows = [row(case, OURS, versions=f"torch 2; processor {case}") for case in ("one", "two")]
    assert "## one: 10 images, processor one\n" in report(rows)
    assert "## two: 10 images, processor two\n" in report(rows)
    assert "## one: 10 images\n" in report(rows[:1])


def test_a_committed_page_is_not_stale():
    path = Path(__file__).parents[2] / training.OUTPUT
    if not path.is_file():
        pytest.skip("nothing was measured on a machine that did nothing else")
    assert path.with_suffix(".md").read_text() == report(room.read(path)), STALE
