"""The points of one suite on one data set: errors after every stage, and where the bytes go."""

import math
from collections.abc import Iterable

import pandas as pd

from clusterpress.results.corrections import WORDS, with_p
from clusterpress.results.images import half_widths
from clusterpress.results.layout import Page, measuring, page, section, table
from clusterpress.results.names import control_of
from clusterpress.results.statistics import (
    NOTHING,
    Summary,
    baselines_of,
    change_to_baseline,
    change_to_point,
    describe,
    number,
    summarize,
)
from clusterpress.results.versions import mixed_note

Cells = dict[str, str]
IMAGES_WORDS = (
    "Test set ± is half the 95 % bootstrap interval over the test images of one trained network, "
    "mean over the seeds, where the records hold which images were right; it is never less than "
    "the share of images of which the test set may have none by chance."
)
NONE = "change to none"
NONE_WORDS = "`none` is the baseline trained for the same extra epochs. "
CONVENTIONS = (
    "What each convention counts stands in the README under "
    "[How each number is counted](../../README.md#how-each-number-is-counted)."
)


def suite_page(suite: str, data: str, runs: pd.DataFrame, names: Iterable[str] = ()) -> Page:
    """Give the page of one suite.

    Args:
        suite: The paper whose suite it is.
        data: The data set.
        runs: The suite's runs with ``suite`` and ``name`` columns.
        names: All of the suite's names: a control that was not run is replaced by no other.
    """
    # A name stands for one point in every profile: the same method by another recipe.
    grouped = runs.groupby(["name", "profile"], sort=False)
    points = [(str(name), group) for (name, _), group in grouped]
    stages = _stages(runs)
    errors = _error_rows(points, stages, names)
    none = NONE_WORDS if any(NONE in row for row in errors) else ""
    ratios = [str(c) for c in runs if str(c).startswith("ratio_") and runs[c].notna().any()]
    return page(
        f"{suite} on {data}",
        *filter(None, [mixed_note(points)]),
        section(
            "Top-1 error, %",
            "Mean over the seeds on the official test set; the change is to the own baseline, "
            f"paired by seed, in points. {none}Where one baseline serves several seeds, an "
            f"interval tells of the method alone. {IMAGES_WORDS} {WORDS}",
            table(errors),
        ),
        section(
            "Compression ratio by convention",
            CONVENTIONS,
            table([_ratios(name, group, ratios) for name, group in points]),
        ),
        section(
            "Bytes",
            "Header, biases and weight streams as they lie in the file; beside them what "
            "`han2016_huffman` counts for the same weights.",
            table([_bytes(name, group) for name, group in points]),
        ),
        measure=measuring(data, suite),
    )


def _stages(runs: pd.DataFrame) -> list[str]:
    lists = [text.split(";") for text in runs["stages"] if text]
    return list(dict.fromkeys(stage for stages in lists for stage in stages if stage != "baseline"))


def _errors(name: str, runs: pd.DataFrame, stages: list[str]) -> Cells:
    cells = {
        "point": _point(name, runs),
        "n": str(len(runs)),
        "baselines": str(len(baselines_of(runs))),
        "profile": _one(runs["profile"]),
        "protocol": _one(runs["protocol"]),
        "precision": _one(runs["precision"].astype(str)),
        "baseline": number(runs["baseline_top1_error"].mean()),
    }
    for stage in stages:
        cells[f"after {stage}"] = number(runs[f"error_after_{stage}"].mean())
    cells["decoded file"] = describe(summarize(runs["top1_error"]))
    return cells | {"change": describe(change_to_baseline(runs), signed=True)}


def _error_rows(
    points: list[tuple[str, pd.DataFrame]], stages: list[str], names: Iterable[str]
) -> list[Cells]:
    rows = [_errors(name, group, stages) for name, group in points]
    if len({row["precision"] for row in rows}) == 1:
        rows = [{name: row[name] for name in row if name != "precision"} for row in rows]
    for row, half in zip(rows, halves := [half_widths(g) for _, g in points], strict=True):
        if any(math.isfinite(error) for error, _ in halves):
            row["test set ±"], row["change, test set ±"] = map(number, half)
    changes = {"change": [change_to_baseline(group) for _, group in points]}
    controls = _to_controls(points, names)
    if any(each.n for each in controls):
        changes[NONE] = controls
        words = [describe(each, signed=True) for each in controls]
        rows = [row | {NONE: text} for row, text in zip(rows, words, strict=True)]
    return with_p(rows, changes)


def _to_controls(points: list[tuple[str, pd.DataFrame]], names: Iterable[str]) -> list[Summary]:
    """Give each point's change to its ``none`` of the same suite and profile, if it has one."""
    keyed = {(str(group["profile"].iloc[0]), name): group for name, group in points}
    known = {*names, *(name for _, name in keyed)}
    controls = [keyed.get((of, control_of(name, known) or "")) for of, name in keyed]
    return [
        NOTHING if control is None else change_to_point(group, control)
        for group, control in zip(keyed.values(), controls, strict=True)
    ]


def _ratios(name: str, runs: pd.DataFrame, ratios: list[str]) -> Cells:
    return _whose(name, runs) | {c.removeprefix("ratio_"): number(runs[c].mean()) for c in ratios}


def _bytes(name: str, runs: pd.DataFrame) -> Cells:
    columns = {
        "parameters": "parameters",
        "reference": "reference_bytes",
        "file": "file_bytes",
        "weight streams": "weight_stream_bytes",
        "`han2016_huffman`": "han2016_huffman_bytes",
        "biases": "bias_bytes",
        "header": "header_bytes",
    }
    means = {words: _whole(runs[column].mean()) for words, column in columns.items()}
    return _whose(name, runs) | means


def _whose(name: str, runs: pd.DataFrame) -> Cells:
    profile = _one(runs["profile"])
    return {"point": _point(name, runs), "n": str(len(runs)), "profile": profile}


def _point(name: str, runs: pd.DataFrame) -> str:
    return f"{name} (selected)" if runs["selected"].all() else name


def _one(values: pd.Series) -> str:
    return "/".join(sorted(set(values)))


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}"
