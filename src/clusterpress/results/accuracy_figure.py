"""Accuracy against compression ratio, with the papers' own points."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clusterpress.results.claims import Claim
from clusterpress.results.controls import CONTROL, SUITE
from clusterpress.results.drawing import baseline_lines, plain_numbers
from clusterpress.results.marks import draw_marks
from clusterpress.results.none_lines import none_lines, nones


def accuracy(title: str, runs: pd.DataFrame, claims: Sequence[Claim]) -> Figure:
    """Draw top-1 accuracy against the ratio by each paper's convention and as a file.

    Filled marks are ours by the convention in the legend, a paper's own where it claims a ratio
    for this network; hollow ones are the same points as files; shapes tell profiles. They are the
    points of the papers' suites, also those that a paper's suite compares its method with; those of
    the suite ``controls`` are left out. A dashed line is a ``none``, the baseline trained on: a
    suite's own in its colour, and in grey one that several suites have, or that of ``controls``
    which serves points of suites without one. A star is a ratio and an error of one ``row`` of a
    paper's table, a dotted line a paper's ratio without an error beside it. A line under the title
    counts the marks below the axis.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    heights: list[float] = []
    of_papers = runs[runs["suite"] != SUITE]
    compressed = of_papers[of_papers["method"] != CONTROL]
    profiles, suites = sorted(set(runs["profile"])), sorted(set(of_papers["suite"]))
    colours = {suite: f"C{number % 10}" for number, suite in enumerate(suites)}
    for suite, group in compressed.groupby("suite"):
        own = [claim for claim in claims if claim.paper == suite]
        convention = _convention(own, group)
        heights += draw_marks(axes, group, convention, colours[suite], profiles)
        heights += _papers(axes, own, colours[suite])
    none_lines(axes, nones(runs), colours, profiles)
    _finish(axes, title, runs, heights)
    return figure


def _finish(axes: Axes, title: str, runs: pd.DataFrame, heights: Sequence[float]) -> None:
    lines = baseline_lines(runs)
    for error, label in lines:
        # Below the nones, one of which may have the same error.
        axes.axhline(100 - error, color="black", linewidth=0.8, label=label, zorder=1.9)
    lowest = max(axes.get_ylim()[0], 100 - 4 * max(0.5, *(error for error, _ in lines)))
    axes.set_ylim(bottom=lowest)
    below = sum(height < lowest for height in heights)
    caption = f"\n{below} of {len(heights)} marks lie below {lowest:.2f} %" if below else ""
    axes.set(
        title=f"{title} (hollow: the whole file){caption}",
        xlabel="compression ratio",
        xscale="log",
        ylabel="top-1 accuracy, %",
    )
    plain_numbers(axes.xaxis)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0), handlelength=4)


def _papers(axes: Axes, claims: Sequence[Claim], colour: str) -> list[float]:
    """Draw a paper's ratios; give the accuracies of the stars."""
    errors = {claim.row: claim for claim in claims if claim.quantity == "top1_error" and claim.row}
    stars = []
    for claim in claims:
        if claim.quantity != "compression_ratio" or not claim.has_number:
            continue
        ratio = f"{claim.relation.strip('=')}{claim.value:g}x by {claim.convention}"
        label = f"{claim.paper}: {ratio} ({claim.status})"
        error = errors.get(claim.row)
        if error is None or claim.relation != "=":
            axes.axvline(claim.value, color=colour, linestyle=":", linewidth=1, label=label)
        else:
            stars.append(100 - error.value)
            axes.plot(
                claim.value,
                stars[-1],
                "*",
                color=colour,
                markersize=11,
                markeredgecolor="black",
                label=label,
                linestyle="none",
            )
    return stars


def _convention(claims: Sequence[Claim], runs: pd.DataFrame) -> str:
    for claim in claims:
        if claim.convention and f"ratio_{claim.convention}" in runs:
            return claim.convention
    return "weights" if "ratio_weights" in runs else "file"
