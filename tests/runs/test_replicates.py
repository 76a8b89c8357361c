import pytest

from clusterpress.errors import ConfigError
from clusterpress.runs.replicates import seeds_of, with_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("5", [0, 1, 2, 3, 4]), ("1", [0]), ("0,1,2", [0, 1, 2]), ("3,", [3]), ("7, 4", [7, 4])],
)
def test_a_number_is_a_count_and_a_comma_makes_a_list(text, seeds):
    assert seeds_of(text) == seeds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "whole numbers"),
        (",", "whole numbers"),
        ("0", "from 1"),
        ("100000", "from 1 to 10,000"),
        ("-1", "whole numbers"),
        ("0,-1", "whole numbers"),
        ("0,,1", "whole numbers"),
        ("1,2,1", "seed 1 is there twice"),
        ("1.5", "whole numbers"),
        ("[0,1]", "whole numbers"),
        ("²", "whole numbers"),
    ],
)
def test_what_is_no_list_of_seeds_is_refused_with_a_reason(text, reason):
    with pytest.raises(ConfigError, match=reason):
        seeds_of(text)


def test_seeds_become_the_seed_that_hydra_sweeps():
    assert with_seeds(["data=mnist", "seeds=3"], sweep=True) == ["data=mnist", "seed=0,1,2"]
    assert with_seeds(["seeds=4,"], sweep=False) == ["seed=4"]
    assert with_seeds(["seed=1"], sweep=False) == ["seed=1"]


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [(["seeds=2", "seed=1"], "only once"), (["seeds=2", "seeds=3"], "only once"),
     (["seeds=2"], "add -m")],
)  # fmt: skip
def test_seeds_that_contradict_are_refused(overrides, reason):
    with pytest.raises(ConfigError, match=reason):
        with_seeds(overrides, sweep=False)
