"""Figures from the tidy table; the same records give the same bytes."""

from collections.abc import Callable, Sequence
from functools import partial

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from clusterpress.errors import ConfigError
from clusterpress.results.accuracy_figure import accuracy
from clusterpress.results.claims import Claim
from clusterpress.results.curves import merging
from clusterpress.results.drawing import FORMATS, STYLE, drawn
from clusterpress.results.merging_figure import merging_figure
from clusterpress.results.names import Names, named_runs

PLAIN = "cpu"
"""The profile whose merging figures have the plain names; other schedules are other curves."""


def figures(
    records: pd.DataFrame,
    claims: Sequence[Claim],
    names: Names,
    formats: Sequence[str] = ("svg",),
) -> dict[str, bytes]:
    """Draw every figure of ``results/figures``.

    Returns:
        File name -> content: ``accuracy-<data>-<model>.svg``, accuracy against compression ratio
        with the papers' own points, and ``merging-<data>-<model>.svg``, the curve of merging, one
        a profile (``merging-<data>-<model>-paper.svg``).

    Raises:
        ConfigError: A format is not one of ``FORMATS``.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ConfigError(f"figures cannot be {unknown[0]!r}; they are {' or '.join(FORMATS)}")
    with mpl.rc_context(STYLE):
        return {
            f"{name}.{form}": drawn(draw(), form)
            for name, draw in _drawings(records, claims, names).items()
            for form in dict.fromkeys(("svg", *formats))
        }


def figure_names(records: pd.DataFrame, names: Names) -> set[str]:
    """Name every committed figure of ``results/figures``, the SVGs, without drawing it."""
    return {f"{name}.svg" for name in _drawings(records, [], names)}


def _drawings(
    records: pd.DataFrame, claims: Sequence[Claim], names: Names
) -> dict[str, Callable[[], Figure]]:
    found: dict[str, Callable[[], Figure]] = {}
    for (data, model), group in named_runs(records, names).groupby(["data", "model"]):
        title = f"{model} on {data}"
        own = [claim for claim in claims if (claim.data, claim.model) == (data, model)]
        found[f"accuracy-{data}-{model}"] = partial(accuracy, title, group, own)
        for profile, of in group.groupby("profile"):
            plain = profile == PLAIN
            draw = merging_drawing(title if plain else f"{title} ({profile})", of)
            if draw is not None:
                found[f"merging-{data}-{model}{'' if plain else f'-{profile}'}"] = draw
    return found


def merging_drawing(title: str, runs: pd.DataFrame) -> Callable[[], Figure] | None:
    """Give what draws a network's merging figure; None where nothing was merged."""
    curve = merging(runs)
    if curve.empty:
        return None
    merged, controls = (
        runs[runs["point"].isin(curve[points])] for points in ("point", "control_point")
    )
    return partial(merging_figure, title, curve, merged, controls)
