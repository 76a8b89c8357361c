import math

import pytest

from clusterpress.results import comparison, read_records
from clusterpress.results.cells import measured_cells
from clusterpress.results.claims import QUANTITIES, AtRatio
from tests.results.synthetic import NAMES, make_claim, make_record, store_of


def compare_one(records, names=NAMES, **changes):
    (row,) = comparison(records, [make_claim(**changes)], names).to_dict("records")
    return row


def test_a_claim_beside_our_numbers(records):
    row = compare_one(records, max_error_change=0.0)
    assert row["ours"] == pytest.approx(40.1)
    assert row["delta_paper"] == pytest.approx(1.1)
    assert row["n"] == 3
    assert row["ours_low"] < 40.1 < row["ours_high"]
    assert row["baseline_error"] == pytest.approx(0.81)
    assert row["delta_baseline"] == pytest.approx(-0.01)
    assert (row["ratio_convention"], row["ratio_file"]) == pytest.approx((40.1, 39.0))
    assert (row["protocol"], row["selected"], row["data"]) == ("last", False, "mnist")
    assert (row["verdict"], row["why"]) == ("exceeded", "")


def test_one_point_answers_in_two_suites(records):
    claims = [make_claim(), make_claim(id="w", paper="wu2019", points=("lenet5-4bit",))]
    assert list(comparison(records, claims, NAMES)["n"]) == [3, 3]


@pytest.mark.parametrize(
    ("changes", "verdict", "why"),
    [
        ({"points": (), "needs": "ImageNet"}, "not run", "needs ImageNet"),
        ({"points": ("lenet9",), "needs": "ImageNet"}, "not run", "needs ImageNet"),
        ({"points": ("lenet5",), "needs": "ImageNet"}, "reproduced", ""),
        ({"points": ("lenet9",)}, "not run", "needs a run of lenet9 on mnist"),
        ({"paper": "liu2019"}, "not run", "needs a run of lenet5 on mnist"),
        ({"data": "cifar10"}, "not comparable", "measured on mnist, the paper's is cifar10"),
        ({"model": "alexnet"}, "not comparable", "measured with lenet5, the paper's is alexnet"),
        ({"convention": "son2018"}, "not comparable", "the records hold no ratio by son2018"),
        ({"convention": "fc_only"}, "not comparable", "the records hold no ratio by fc_only"),
        ({"quantity": "top5_error"}, "not comparable", "the records hold no top5_error"),
    ],
)
def test_what_cannot_be_compared_says_why(records, changes, verdict, why):
    row = compare_one(records, **changes)
    assert (row["verdict"], row["why"]) == (verdict, why)


@pytest.mark.parametrize(
    ("count", "verdict"), [(431_080, "reproduced"), (14_728_266, "not comparable")]
)
def test_another_network_is_not_compared(records, count, verdict):
    row = compare_one(records, baseline_parameters=count)
    assert row["verdict"] == verdict
    assert ("another network: its baseline has 431,080" in row["why"]) == (count != 431_080)


@pytest.mark.parametrize(("count", "same"), [(431_080, True), (431_150, True), (431_151, False)])
def test_a_network_without_idle_parameters_is_the_same(records, count, same):
    row = compare_one(records, baseline_parameters=count, idle_parameters=70)
    assert (row["verdict"] != "not comparable") == same


@pytest.mark.parametrize(("at_least", "verdict"), [(40, "reproduced"), (41, "not reproduced")])
def test_an_error_is_judged_at_its_ratio(records, at_least, verdict):
    error = {"quantity": "top1_error", "value": "0.80"}
    wanted = AtRatio("han2016_huffman", at_least)
    assert compare_one(records, **error, with_ratio=wanted)["verdict"] == verdict


def test_every_quantity_can_be_measured(tmp_path):
    record = make_record(baseline_top5_error=0.1, top5_error=0.2, macs=1_146_500)
    records = read_records(store_of(tmp_path, [record]))
    measured = {
        name: compare_one(records, quantity=name, convention="file")["ours"] for name in QUANTITIES
    }
    assert measured["error_change"] == pytest.approx(-0.02)
    assert measured["parameters_removed"] == pytest.approx(100 * (1 - 36000 / 431080))
    assert measured["mac_ratio"] == 2.0
    assert measured["macs_removed"] == 50.0
    assert measured["file_bytes"] == 44000
    assert measured["top5_error"] == 0.2


def test_the_claims_own_data_set_and_another_stand_side_by_side(tmp_path):
    digits = make_record("d", data="digits")
    records = read_records(store_of(tmp_path, [digits, make_record("p")]))
    names = {point: [("han2016", "lenet5")] for point in ("p", "d")}
    compared = comparison(records, [make_claim()], names).set_index("data")
    assert compared.loc["digits", "verdict"] == "not comparable"
    assert compared.loc["mnist", "verdict"] == "reproduced"
    assert compared.loc["mnist", "why"] == "n = 1"


def test_nothing_measured_is_a_table_of_what_was_not_run(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    compared = comparison(read_records(tmp_path), [make_claim()], {})
    assert list(compared["verdict"]) == ["not run"]


def test_a_shared_baseline_is_one_observation_however_many_seeds_began_with_it(tmp_path):
    runs = [make_record(seed=seed, baseline_seed=0, baseline_top1_error=0.5) for seed in range(3)]
    row = compare_one(
        read_records(store_of(tmp_path, runs)), quantity="baseline_top1_error", value="0.80"
    )
    assert row["n"] == row["baselines"] == 1
    assert math.isnan(row["ours_low"])
    assert math.isnan(row["p"])
    assert (row["verdict"], row["why"]) == ("reproduced", "n = 1")


def test_baselines_of_one_seed_on_two_machines_are_two(tmp_path):
    runs = [
        make_record(seed=seed, baseline_seed=0, baseline_top1_error=error)
        for seed, error in enumerate((0.5, 0.5, 0.7))
    ]
    records = read_records(store_of(tmp_path, runs))
    row = compare_one(records, quantity="baseline_top1_error", value="0.80")
    assert row["n"] == row["baselines"] == 2
    assert row["ours"] == pytest.approx(0.6)


def test_profiles_are_told_apart(tmp_path):
    runs = [make_record("p"), make_record("q", profile="paper")]
    names = {point: [("han2016", "lenet5")] for point in ("p", "q")}
    compared = comparison(read_records(store_of(tmp_path, runs)), [make_claim()], names)
    assert list(compared["profile"]) == ["cpu", "paper"]
    assert [cells["profile"] for cells in measured_cells(compared)] == ["cpu", "paper"]


@pytest.mark.parametrize("changes", [{"model": "vgg16"}, {"baseline_parameters": 14_724_042}])
def test_another_network_of_the_same_name_on_other_data_is_no_answer(tmp_path, changes):
    runs = [make_record("p", data="cifar10", **changes)]
    names = {"p": [("han2016", "lenet5")]}
    claim = make_claim(baseline_parameters=431_080)
    compared = comparison(read_records(store_of(tmp_path, runs)), [claim], names)
    assert list(compared["verdict"]) == ["not run"]
