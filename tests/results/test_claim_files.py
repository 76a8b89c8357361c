from pathlib import Path

import pytest
import yaml

from clusterpress.errors import ConfigError
from clusterpress.results import load_claims, load_papers

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FIVE = {"son2018", "wang2020", "zhong2018", "liu2019", "wu2019"}
GOOD = {
    "id": "a", "data": "mnist", "model": "lenet5", "quantity": "top1_error", "value": 0.74,
    "unit": "%", "source": "table 1", "status": "found", "points": ["lenet5"],
}  # fmt: skip


def write(folder: Path, *claims, name="han2016.yaml", **paper):
    document = {"paper": "han2016", "title": "Deep", "claims": list(claims), **paper}
    (folder / name).write_text(yaml.safe_dump(document))


def test_the_projects_claims_are_valid_and_have_their_cards():
    papers = {paper.paper for paper in load_papers(EXPERIMENTS) if paper.claims}
    assert FIVE | {"han2016"} <= papers
    assert all((EXPERIMENTS / f"{paper}.md").is_file() for paper in papers)


def test_every_paper_is_answered_on_mnist_but_the_convolutional_one():
    answered = {c.paper for c in load_claims(EXPERIMENTS) if c.points and c.data == "mnist"}
    assert answered == (FIVE | {"han2016"}) - {"son2018"}


def test_what_no_paper_printed_is_never_marked_found():
    for claim in load_claims(EXPERIMENTS):
        if claim.paper in ("wang2020", "zhong2018", "wu2019") and claim.data == "mnist":
            assert claim.status in ("derived", "inferred"), claim.id


def test_liu2019_is_the_inequality_without_huffman_and_without_loss():
    claims = [c for c in load_claims(EXPERIMENTS) if c.paper == "liu2019"]
    assert {(c.relation, c.value, c.convention, c.max_error_change) for c in claims} == {
        ("≥", 30.0, "han2016", 0.0)
    }


def test_a_claim_may_name_its_own_paper_and_suites_are_left_alone(tmp_path):
    write(tmp_path, {**GOOD, "paper": "li2017"}, suites={"mnist": [{"anything": 1}]})
    (claim,) = load_claims(tmp_path)
    assert (claim.paper, claim.points, claim.relation) == ("li2017", ("lenet5",), "=")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": "top1_eror"}, "unknown quantity 'top1_eror'; the nearest is 'top1_error'"),
        ({"status": "fond"}, "unknown status 'fond'; the nearest is 'found'"),
        ({"protocol": "lst"}, "nearest is 'last'"),
        ({"convention": "han2061"}, "unknown convention 'han2061'; the nearest is 'han2016'"),
        ({"sorce": "x"}, "unknown key 'sorce'; the nearest is 'source'"),
        ({"value": None}, "'value' must be a finite number"),
        ({"value": True}, "'value' must be a finite number"),
        ({"value": float("nan")}, "'value' must be a finite number"),
        ({"at_least": 3}, "exactly one of value, at_least, at_most"),
        ({"unit": "x"}, "top1_error is in '%', not in 'x'"),
        ({"quantity": "compression_ratio", "unit": "x"}, "needs its 'convention'"),
        ({"points": []}, "'points' (what answers it) or 'needs' (what is missing for that)"),
        ({"points": "lenet5"}, "'points' must be a list of names"),
        ({"no_loss": "yes"}, "'no_loss' must be true or false"),
        ({"no_loss": True, "max_error_change": 0.1}, "only one of 'no_loss'"),
        ({"max_error_change": "little"}, "'max_error_change' must be a finite number"),
        ({"model": 5}, "'model' must be text"),
        ({"value": "much"}, "'value' must be a finite number or its digits"),
        ({"value": "nan"}, "'value' must be a finite number or its digits"),
        ({"baseline_parameters": "1"}, "'baseline_parameters' must be a whole number"),
        ({"baseline_parameters": True}, "'baseline_parameters' must be a whole number"),
        ({"idle_parameters": 0}, "'idle_parameters' must be a whole number from 1 on, is 0"),
        (
            {"idle_parameters": 4, "baseline_parameters": 4},
            "'idle_parameters' must be fewer than 'baseline_parameters'",
        ),
        ({"idle_parameters": 4}, "'idle_parameters' are some of 'baseline_parameters'"),
        ({"no_number": True}, "'no_number' belongs to a derived claim, this one is found"),
        ({"with_ratio": 40}, "'with_ratio' must be {convention"),
        ({"with_ratio": {"convention": "han2016"}}, "'with_ratio' must be {convention"),
        ({"with_ratio": {"convention": "han", "at_least": 4}}, "'with_ratio' must be {convention"),
    ],
)
def test_a_mistake_is_a_sentence(tmp_path, changes, message):
    write(tmp_path, {**GOOD, **changes})
    with pytest.raises(ConfigError) as error:
        load_claims(tmp_path)
    assert message in str(error.value)
    assert "han2016.yaml: claim a:" in str(error.value)


def test_a_number_keeps_its_digits(tmp_path):
    names = ("0.80", 12.0, 40)
    write(tmp_path, *({**GOOD, "id": f"{name}", "value": name} for name in names))
    claims = load_claims(tmp_path)
    assert [claim.printed for claim in claims] == ["0.80", "12.0", "40"]
    assert [claim.value for claim in claims] == [0.8, 12.0, 40.0]


def test_an_error_of_the_projects_lenets_counts_only_at_its_ratio_and_without_loss():
    claims = [c for c in load_claims(EXPERIMENTS) if c.paper == "han2016" and c.data == "mnist"]
    errors = {c.model: c for c in claims if c.quantity == "top1_error"}
    wanted = {model: c.with_ratio.at_least for model, c in errors.items()}
    assert wanted == {"lenet300_100": 40, "lenet5": 39}
    assert all(c.max_error_change == 0.05 for c in errors.values())
    pairs = {c.row for c in claims if c.quantity == "compression_ratio" and c.row}
    assert pairs == {c.row for c in errors.values()}


def test_the_lenets_and_vggs_of_the_claims_are_pinned():
    counts = {"lenet300_100": 266_610, "lenet5": 431_080}
    for claim in load_claims(EXPERIMENTS):
        if claim.data == "mnist":
            assert claim.baseline_parameters == counts[claim.model], claim.id


def test_what_only_arithmetic_gives_says_so():
    for claim in load_claims(EXPERIMENTS):
        if claim.status == "derived" and claim.paper in ("son2018", "wu2019"):
            assert claim.no_number, claim.id
            assert "arithmetic" in claim.source


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path):
    missing = {key: value for key, value in GOOD.items() if key not in ("value", "source")}
    write(tmp_path, {**GOOD, "status": "guess"}, missing)
    write(tmp_path, GOOD, "text", name="liu2019.yaml", year_="x")
    write(tmp_path, name="no_title.yaml", claims="x")
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(ConfigError) as error:
        load_claims(tmp_path)
    text = str(error.value)
    parts = (
        "guess",
        "'source' is missing",
        "exactly one of value",
        "taken by a claim in",
        "nearest is 'year'",
        "must be keys and values",
        "'claims' must be a list",
        "broken.yaml: cannot be read",
        "list.yaml: holds list",
    )
    for part in parts:
        assert part in text


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(ConfigError, match="no folder of experiments"):
        load_claims(tmp_path / "nowhere")
