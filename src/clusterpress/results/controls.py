"""The control ``none``: the baseline trained on for as long, and which of them serves a point."""

import pandas as pd

from clusterpress.results.names import control_of, keep_of, removed_of

CONTROL = "none"
SUITE = "controls"


def control_runs(runs: pd.DataFrame, group: pd.DataFrame) -> pd.DataFrame:
    """Choose the control for a point by its name, from the first of ``control_suites`` with one.

    It is one of the same network, as the baseline's parameters tell.

    Args:
        runs: Named runs of one data set.
        group: Those of the point, in one suite.

    Returns:
        The control's runs; none where there is no control.
    """
    suite, name, model, profile = (
        group[column].iloc[0] for column in ("suite", "name", "model", "profile")
    )
    same = (runs["model"] == model) & (runs["profile"] == profile) & (runs["method"] == CONTROL)
    # A network of one name may have arguments, as two linear layers instead of one.
    same &= runs["baseline_parameters"].isin(set(group["baseline_parameters"]))
    for of in control_suites(suite, name):
        controls: pd.DataFrame = runs.loc[same & (runs["suite"] == of)]
        control = control_of(name, set(controls["name"]))
        if control is not None:
            return controls.loc[controls["name"] == control]
    return runs.iloc[:0]


def control_suites(suite: str, name: str) -> tuple[str, ...]:
    """Name the suites whose ``none`` may serve a point: its own first, then ``controls``.

    Those of other suites may have trained for other epochs; in each suite a name is one point.
    ``controls`` has the controls of merging, which recovers: they serve points that keep or
    remove a share of the neurons.
    """
    merges = keep_of(name) is not None or removed_of(name) is not None
    return (suite, SUITE) if merges else (suite,)
