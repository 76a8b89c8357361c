"""A run's name depends on what its result depends on, and on nothing else."""

import pytest

from clusterpress.errors import ConfigError
from clusterpress.runs.identity import chain, digest, settings
from clusterpress.runs.pipeline import execute


class Knobs:
    version = 1

    def __init__(self, a: int = 1, b: float = 0.5, c: tuple[int, ...] = ()) -> None: ...


def node(**knobs):
    return {"_target_": f"{__name__}.Knobs", **knobs}


def test_defaults_do_not_count():
    assert settings(node(a=1, b=0.5, c=[])) == settings(node())
    assert settings(node(a=2)) != settings(node())


def test_a_new_argument_with_a_default_changes_no_identity(monkeypatch):
    before = digest(settings(node(a=2)))

    class Wider(Knobs):
        def __init__(self, a: int = 1, b: float = 0.5, c=(), d: str = "new") -> None: ...

    Wider.__qualname__ = "Knobs"
    monkeypatch.setitem(globals(), "Knobs", Wider)
    assert digest(settings(node(a=2, d="new"))) == before
    assert digest(settings(node(a=2, d="other"))) != before


class Aimed:
    def __init__(self, target: float = 0.5) -> None: ...


class Versioned:
    def __init__(self, **knobs: float) -> None: ...


@pytest.mark.parametrize(
    ("name", "knobs"), [("Aimed", {}), ("Aimed", {"target": 0.1}), ("Versioned", {"version": 2})]
)
def test_a_knob_that_would_stand_in_for_the_class_or_its_version_is_refused(name, knobs):
    with pytest.raises(ConfigError, match=f"{name} has an argument"):
        settings({"_target_": f"{__name__}.{name}", **knobs})


def test_a_raised_version_changes_every_identity(monkeypatch):
    before = digest(settings(node()))
    monkeypatch.setattr(Knobs, "version", 2)
    assert digest(settings(node())) != before


@pytest.mark.parametrize("same", [(node(b=1), node(b=1.0)), (node(c=[1, 2]), node(c=(1, 2)))])
def test_equal_values_are_equal_however_they_are_written(same):
    assert settings(same[0]) == settings(same[1])


def test_runs_that_begin_alike_share_their_first_stages():
    one, other = chain("net", ["prune", "share4"], 0), chain("net", ["prune", "share5"], 0)
    assert one[:2] == other[:2]
    assert one[2] != other[2]


def test_zero_is_a_seed_and_seeds_differ():
    assert len({chain("net", [], seed)[0] for seed in range(5)}) == 5


def test_the_order_of_steps_counts():
    assert chain("net", ["a", "b"], 0)[-1] != chain("net", ["b", "a"], 0)[-1]


def test_a_baseline_may_have_a_seed_of_its_own():
    steps = ["prune", "share"]
    plain = [chain("net", steps, seed) for seed in range(3)]
    shared = [chain("net", steps, seed, 0) for seed in range(3)]
    assert shared[0] == plain[0]
    assert {ids[0] for ids in shared} == {plain[0][0]}
    assert len({ids[1] for ids in shared} | {ids[1] for ids in plain}) == 5


def test_the_baseline_of_one_seed_serves_the_method_of_another(short):
    records = [
        execute(short("method=wang2020", f"seed={seed}", "baseline_seed=5")).record
        for seed in (5, 6)
    ]
    own = execute(short("method=wang2020", "seed=5")).record
    one, other = ([stage["id"] for stage in record["stages"]] for record in records)
    assert one[0] == other[0]
    assert not set(one[1:]) & set(other[1:])
    assert one == [stage["id"] for stage in own["stages"]]
    assert records[0]["point"] == records[1]["point"] != own["point"]
    assert [record["baseline_seed"] for record in (*records, own)] == [5, 5, 5]
    assert [record["seed"] for record in records] == [5, 6]
