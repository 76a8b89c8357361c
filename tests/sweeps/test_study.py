"""A study goes on as if nothing had happened, whenever its process dies; nothing trains here."""

import itertools
import sqlite3
from types import SimpleNamespace

import pytest

from clusterpress.errors import ConfigError, StoreError
from clusterpress.results.pareto import front, short_names
from clusterpress.sweeps import search as search_module
from clusterpress.sweeps.proposal import proposed
from clusterpress.sweeps.search import _batch
from clusterpress.sweeps.settings import SAMPLERS, Settings
from clusterpress.sweeps.space import space_of
from clusterpress.sweeps.study import (
    Study,
    differences,
    identity,
    opened_or_made,
    study_path,
    tried,
)

LINES = ["method=none", "a=range(0.1,0.9,0.1)", "b=1,2", "seed=0,1"]
WRITES = ("begin_batch", "add", "_note", "tell", "tell_failure")


class DiedError(BaseException):
    """The process is gone."""


def settings(**changed):
    values = {"study": "s", "n_trials": 9, "n_jobs": 1, "sampler": "tpe", "population": 4}
    return Settings.of({**values, "seed": 5, **changed})


def advance(path, chosen):
    """Search with a made-up result for each point; a few of them fail."""
    space = space_of(LINES)
    search = search_module._Search(chosen, chosen.n_jobs, space, (), SimpleNamespace())
    study = opened_or_made(path, "s", identity(space, chosen, "point"))
    while batch := _batch(study, search):
        for trial in batch:
            a, b = trial.params["a"], int(trial.params["b"])
            if b == 2 and a > 0.3:
                study.tell_failure(trial.number, ["x"], "it is too much")
            else:
                study.tell(trial.number, [f"{a}-{b}"], [10 - a * b + (b == 2), 1000 * a + b])


def content(store):
    return [
        (each.number, each.parameters, each.values, each.failure, each.runs, each.best)
        for each in tried(store, "s")
    ]


@pytest.mark.parametrize(("sampler", "jobs"), [("tpe", 1), ("tpe", 4), ("nsga2", 1), ("grid", 2)])
def test_a_search_that_dies_at_any_write_goes_on_as_if_it_had_not(
    sampler, jobs, tmp_path, monkeypatch
):
    chosen = settings(sampler=sampler, n_jobs=jobs)
    whole = tmp_path / "whole"
    advance(study_path(whole, "s"), chosen)
    store = tmp_path / "it's 100 %, a # and a ?"
    die_at_every(4, monkeypatch)
    for _ in range(100):
        try:
            advance(study_path(store, "s"), chosen)
        except DiedError:
            continue
        break
    assert len(content(whole)) == 9
    assert content(store) == content(whole)


def die_at_every(most, monkeypatch):
    """Let some write after the last death, one to ``most`` of them, not come to be."""
    wait = itertools.cycle(range(1, most + 1))
    left = [next(wait)]

    def mortal(write):
        def called(*arguments):
            left[0] -= 1
            if not left[0]:
                left[0] = next(wait) + most
                raise DiedError
            return write(*arguments)

        return called

    for name in WRITES:
        monkeypatch.setattr(Study, name, mortal(getattr(Study, name)))


def test_nothing_beats_the_front_and_the_front_beats_the_rest(tmp_path):
    advance(study_path(tmp_path, "s"), settings(n_trials=24, n_jobs=24, sampler="random"))
    done = [trial for trial in tried(tmp_path, "s") if trial.values]
    best = front(done)

    def beats(a, b):
        return a.values != b.values and all(x <= y for x, y in zip(a.values, b.values, strict=True))

    assert 1 < len(best) < len(done)
    for trial in done:
        assert any(beats(each, trial) for each in best) != trial.best
        assert any(each.values == trial.values for each in best) == trial.best
    assert len({tuple(each.parameters.values()) for each in best}) == len(best)
    assert [each.values for each in best] == sorted((e.values for e in best), key=lambda v: v[1])


def test_names_are_as_short_as_they_may_be():
    keys = ["a.x.k", "a.y.k", "+b.bits", "method"]
    assert list(short_names(keys).values()) == ["x.k", "y.k", "bits", "method"]


def test_more_trials_go_on_with_the_same_ones(tmp_path):
    for total in (4, 4, 9, 7):
        advance(study_path(tmp_path / "a", "s"), settings(n_trials=total))
    advance(study_path(tmp_path / "b", "s"), settings())
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_grid_ends_with_its_points(tmp_path):
    advance(study_path(tmp_path, "s"), settings(n_trials=1000, sampler="grid", n_jobs=5))
    points = [tuple(each.parameters.values()) for each in tried(tmp_path, "s")]
    assert len(points) == len(set(points)) == 8 * 2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_seed_alone_says_what_is_asked_for(sampler):
    space = space_of(LINES)
    asked, again = (
        [proposed([], space, settings(sampler=sampler, seed=seed)).params for seed in range(4)]
        for _ in range(2)
    )
    assert asked == again
    assert len({str(each) for each in asked}) > 1


def test_every_difference_is_named():
    space = space_of(LINES)
    kept = identity(space, settings(), "point")
    assert differences(kept, identity(space, settings(n_trials=3, n_jobs=2), "point")) == []
    other = space_of(["a=1,2", "c=tag(log,interval(1,2))", "seed=1"])
    found = "; ".join(differences(kept, identity(other, settings(sampler="nsga2"), "p")))
    for words in (
        "a was 0.1 to 0.8 by 0.1 and is one of 1, 2",
        "b was one of 1, 2 and is not searched",
        "c was not searched and is 1.0 to 2.0 on a log scale",
        "seeds was [0, 1] and is [1]",
        "sampler was tpe and is nsga2",
    ):
        assert words in found
    fixed = space_of([*LINES[1:], "method=uniform", "store=there"])
    assert differences(kept, identity(fixed, settings(), "p")) == [
        "it had method=none",
        "method=uniform is new",
    ]
    (said,) = differences(kept, identity(space, settings(), "p"))
    assert "the versions of the steps" in said


def full_disk(monkeypatch, pages):
    """Let no data base grow beyond so many pages, nor beyond what it has."""
    connect = sqlite3.connect

    def limited(*arguments, **keywords):
        connection = connect(*arguments, **keywords)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr("clusterpress.sweeps.study.sqlite3.connect", limited)


def test_on_a_full_disk_nobody_is_told_to_remove_a_study_and_none_is_half_made(
    tmp_path, monkeypatch
):
    path, chosen = study_path(tmp_path, "s"), settings(n_trials=500)
    wanted = identity(space_of(LINES), chosen, "point")
    with monkeypatch.context() as short:
        full_disk(short, 3)
        with pytest.raises(StoreError, match="No room left") as said:
            opened_or_made(path, "s", wanted)
    assert "remove" not in str(said.value)
    assert list(path.parent.iterdir()) == []
    study = opened_or_made(path, "s", wanted)
    full_disk(monkeypatch, 1)
    with pytest.raises(StoreError, match="No room left"):
        study.add(proposed([], space_of(["method=none", f"a={'x' * 9999},b"]), chosen))
    monkeypatch.undo()
    advance(path, settings())
    assert len(tried(tmp_path, "s")) == 9


def test_a_damaged_study_is_one_sentence(tmp_path):
    path = study_path(tmp_path, "s")
    advance(path, settings(n_trials=2))
    whole = path.read_bytes()
    for damaged in (b"", b"no data base", whole[:100] + b"\xff" * (len(whole) - 100), whole[:9999]):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=r"studies/s\.db is damaged or cannot be used"):
            tried(tmp_path, "s")


def test_a_study_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match="none in this store"):
        tried(tmp_path, "s")
    advance(study_path(tmp_path, "s"), settings(n_trials=1))
    with pytest.raises(ConfigError, match="nearest is 's'"):
        tried(tmp_path, "t")
    with pytest.raises(ConfigError, match="the name of a study"):
        tried(tmp_path, "../s")
