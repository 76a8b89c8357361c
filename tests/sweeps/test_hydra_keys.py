"""Hydra's own settings: those that would be without effect are refused, before anything is done."""

import pytest
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.errors import ConfigError
from clusterpress.sweeps.hydra_keys import check_hydra

OF_LAUNCHERS = ["hydra/launcher=joblib", "hydra/sweeper=optuna", "+hydra.launcher.x=1"]
NOWHERE = ["hydra.run.dir=x", "hydra.sweep.dir=x", "hydra.mode=RUN", "hydra.job.chdir=true"]


@pytest.mark.parametrize("line", OF_LAUNCHERS)
def test_what_a_sweep_reads_needs_a_sweep(line):
    check_hydra(["seed=1", line], sweep=True)
    with pytest.raises(ConfigError, match="run -m"):
        check_hydra(["seed=1", line], sweep=False)


@pytest.mark.parametrize("sweep", [True, False])
@pytest.mark.parametrize("line", [*NOWHERE, "~hydra.run"])
def test_what_nobody_reads_is_refused_everywhere(line, sweep):
    with pytest.raises(ConfigError, match=f"^{line} is without effect: [^;]*$"):
        check_hydra([line], sweep=sweep)


@pytest.mark.parametrize("sweep", [True, False])
def test_what_belongs_to_a_point_is_taken(sweep):
    check_hydra(["hydra.searchpath=[a]", "data=digits", "hydrate=1"], sweep=sweep)


def test_every_line_without_effect_is_named():
    with pytest.raises(ConfigError) as raised:
        check_hydra([*OF_LAUNCHERS, *NOWHERE], sweep=False)
    assert all(line in str(raised.value) for line in [*OF_LAUNCHERS, *NOWHERE])


COMMANDS = [
    ["run", "hydra/launcher=joblib"],
    ["run", "-m", "hydra.sweep.dir=x"],
    ["run", "-m", "hydra/launcher=wrong"],
    ["run", "-m", "hydra/sweeper=optuna", "hydra.sweeper.study=s", "hydra/launcher=wrong"],
    ["widths", "hydra.launcher.n_jobs=2"],
    ["validate", "hydra.mode=RUN"],
    ["reproduce", "--set", "hydra.run.dir=x"],
    ["reproduce", "--set", "hydra/launcher=wrong"],
    ["reproduce", "--plan", "--set", "hydra/launcher=wrong"],
    ["reproduce", "--plan", "--set", "+hydra.launcher.no_such=1"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_before_it_looks_at_the_points(command, tmp_path, monkeypatch):
    def too_late(*arguments, **keywords):
        raise AssertionError("a wrong setting was found too late")

    for late in ("runs.forecast.forecast", "sweeps.product.plan", "sweeps.search.plan"):
        monkeypatch.setattr(f"clusterpress.{late}", too_late)
    monkeypatch.setattr("clusterpress.runs.sweep.run_point", too_late)
    monkeypatch.setenv("CLUSTERPRESS_STORE", str(tmp_path / "store"))
    ended = CliRunner().invoke(app, command)
    assert isinstance(ended.exception, ConfigError)
    assert not (tmp_path / "store").exists()
