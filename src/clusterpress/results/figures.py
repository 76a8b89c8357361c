"""Figures from the tidy table; the same records give the same bytes of SVG."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd

from clusterpress.results.accuracy_figure import accuracy
from clusterpress.results.claims import Claim
from clusterpress.results.curves import merging
from clusterpress.results.drawing import STYLE, svg
from clusterpress.results.merging_figure import merging_figure
from clusterpress.results.names import Names, named_runs


def figures(records: pd.DataFrame, claims: Sequence[Claim], names: Names) -> dict[str, bytes]:
    """Draw every figure of ``results/figures``.

    Returns:
        File name -> SVG: ``accuracy-<data>-<model>.svg``, accuracy against compression ratio
        with the papers' own points, and ``merging-<data>-<model>.svg``, the curve of merging.
    """
    runs = named_runs(records, names)
    found: dict[str, bytes] = {}
    with mpl.rc_context(STYLE):
        for (data, model), group in runs.groupby(["data", "model"]):
            own = [claim for claim in claims if (claim.data, claim.model) == (data, model)]
            found[f"accuracy-{data}-{model}.svg"] = svg(accuracy(f"{model} on {data}", group, own))
            curve = merging(group)
            if not curve.empty:
                controls = group[group["name"].isin(curve["control"])]
                drawn = merging_figure(f"{model} on {data}", curve, group, controls)
                found[f"merging-{data}-{model}.svg"] = svg(drawn)
    return found
