"""Accuracy against compression ratio, with the papers' own points."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clusterpress.results.claims import Claim
from clusterpress.results.drawing import half_width, plain_numbers
from clusterpress.results.statistics import summarize


def accuracy(title: str, runs: pd.DataFrame, claims: Sequence[Claim]) -> Figure:
    """Draw top-1 accuracy against the ratio by each paper's convention and as a file.

    Filled marks are ours by the convention in the legend, hollow ones the same points as files;
    a star is a paper's own point, a dotted line a paper's ratio without an error beside it.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    papers = {claim.paper for claim in claims}
    for number, (suite, group) in enumerate(runs[runs["suite"].isin(papers)].groupby("suite")):
        convention = _convention(str(suite), claims, group)
        colour = f"C{number % 10}"
        _ours(axes, group, f"ratio_{convention}", colour, f"{suite}, ours by {convention}")
        _ours(axes, group, "ratio_file", colour, None)
        _papers(axes, [claim for claim in claims if claim.paper == suite], colour)
    baseline = summarize(runs.drop_duplicates("seed")["baseline_top1_error"])
    axes.axhline(100 - baseline.mean, color="black", linewidth=0.8, label="our baseline")
    axes.set(
        title=f"{title} (hollow: the whole file)",
        xlabel="compression ratio",
        xscale="log",
        ylabel="top-1 accuracy, %",
    )
    lowest = 100 - 4 * max(baseline.mean, 0.5)
    axes.set_ylim(bottom=max(axes.get_ylim()[0], lowest))
    plain_numbers(axes.xaxis)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure


def _ours(axes: Axes, runs: pd.DataFrame, column: str, colour: str, label: str | None) -> None:
    points = [
        (summarize(group[column]), summarize(100 - group["top1_error"]))
        for _, group in runs.groupby("point")
        if column in group and group[column].notna().all()
    ]
    if points:
        axes.errorbar(
            [ratio.mean for ratio, _ in points],
            [right.mean for _, right in points],
            yerr=[half_width(right) for _, right in points],
            fmt="o",
            markersize=4,
            capsize=2,
            color=colour,
            markerfacecolor=colour if label else "none",
            label=label,
        )


def _papers(axes: Axes, claims: Sequence[Claim], colour: str) -> None:
    errors = {
        (claim.points, claim.needs): claim for claim in claims if claim.quantity == "top1_error"
    }
    for claim in claims:
        if claim.quantity != "compression_ratio":
            continue
        ratio = f"{claim.relation.strip('=')}{claim.value:g}x by {claim.convention}"
        label = f"{claim.paper}: {ratio} ({claim.status})"
        error = errors.get((claim.points, claim.needs))
        if error is None or claim.relation != "=":
            axes.axvline(claim.value, color=colour, linestyle=":", linewidth=1, label=label)
        else:
            axes.plot(
                claim.value,
                100 - error.value,
                "*",
                color=colour,
                markersize=11,
                markeredgecolor="black",
                label=label,
                linestyle="none",
            )


def _convention(suite: str, claims: Sequence[Claim], runs: pd.DataFrame) -> str:
    for claim in claims:
        if claim.paper == suite and claim.convention and f"ratio_{claim.convention}" in runs:
            return claim.convention
    return "weights" if "ratio_weights" in runs else "file"
