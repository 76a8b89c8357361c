"""The curve of merging: error over the share of neurons kept."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from clusterpress.results.drawing import half_width, plain_numbers


def merging_figure(
    title: str, curve: pd.DataFrame, runs: pd.DataFrame, controls: pd.DataFrame
) -> Figure:
    """Draw the error over the keep ratio, before and after fine-tuning, a line a method."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, column in ((left, "before"), (right, "after")):
        for method, rows in curve.groupby("method"):
            summaries: list[Any] = rows[column].tolist()
            axes.errorbar(
                rows["keep"],
                [s.mean for s in summaries],
                yerr=[half_width(s) for s in summaries],
                marker="o",
                markersize=3,
                capsize=2,
                linewidth=1,
                label=str(method),
            )
        axes.axhline(
            runs["baseline_top1_error"].mean(), color="black", linewidth=0.8, label="our baseline"
        )
        axes.set(
            title=f"{title}, {column} fine-tuning",
            xlabel="share of neurons kept",
            ylabel="top-1 error, %",
            yscale="log",
        )
        plain_numbers(axes.yaxis)
    if len(controls):
        right.axhline(
            controls["top1_error"].mean(),
            color="grey",
            linestyle="--",
            linewidth=0.8,
            label="none (same extra epochs)",
        )
    right.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure
