"""The trials that no other beats, as a table: error on the validation split against bytes."""

from collections import Counter
from collections.abc import Sequence
from math import isnan

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Printed

from clusterpress.results.latex import csv_table
from clusterpress.results.layout import table
from clusterpress.results.markdown import markdown_table
from clusterpress.results.statistics import describe, number, summarize
from clusterpress.results.terminal import standard
from clusterpress.runs.tried import Trial

Row = dict[str, str]


def front(trials: Sequence[Trial]) -> list[Trial]:
    """Give the unbeaten trials by their bytes, the smallest first; equal points count once."""
    found: dict[tuple[str, ...], Trial] = {}
    for trial in trials:
        if trial.best and trial.values is not None:
            found.setdefault(tuple(trial.parameters.values()), trial)
    return sorted(found.values(), key=lambda each: (_bytes(each), each.number))


def front_rows(trials: Sequence[Trial], records: pd.DataFrame) -> list[Row]:
    """Give a row for every unbeaten trial.

    Args:
        trials: All trials of the study.
        records: The tidy table of its store; what it lacks is a dash.
    """
    best = front(trials)
    names = short_names([key for trial in best[:1] for key in trial.parameters])
    return [_row(trial, records[records["id"].isin(trial.runs)], names) for trial in best]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Give the last words of each key, as many as it takes to tell them apart."""
    found: dict[str, str] = {}
    parts = {key: key.lstrip("+~").split(".") for key in keys}
    for length in range(1, max(map(len, parts.values()), default=0) + 1):
        ends = {key: ".".join(words[-length:]) for key, words in parts.items()}
        counts = Counter(ends.values())
        found |= {key: end for key, end in ends.items() if key not in found and counts[end] == 1}
    return {key: found.get(key, key) for key in keys}


def summary(trials: Sequence[Trial]) -> str:
    """Say what the trials are, in words that stand beside the table."""
    done = [trial for trial in trials if trial.values is not None]
    failed = sum(trial.failure is not None for trial in trials)
    open_ = len(trials) - len(done) - failed
    counts = [f"{len(done)} done", *([f"{failed} failed"] if failed else [])]
    counts += [f"{open_} not told yet"] if open_ else []
    seeds = len(trials[0].seeds) if trials else 1
    many = f"means over {seeds} seeds, ± half the 95 % t-interval" if seeds > 1 else "n = 1 seed"
    return (
        f"{len(trials)} trials: {', '.join(counts)}. Unbeaten in validation error and bytes: "
        f"{len(front(trials))} ({many}). Chosen on the validation split, whose error is therefore "
        "too good by a little; the test error chose nothing."
    )


def print_front(
    name: str, trials: Sequence[Trial], records: pd.DataFrame, to: Console | None = None
) -> None:
    """Print the table, and below it the command of every trial in it."""
    to = to or standard()
    to.print(f"study {name}: {summary(trials)}", markup=False)
    rows = front_rows(trials, records)
    if rows:
        printed = Printed()
        for column in rows[0]:
            if column != "command":
                printed.add_column(column, overflow="fold", justify="right")
        for row in rows:
            printed.add_row(*(escape(cell) for column, cell in row.items() if column != "command"))
        to.print(printed)
    for row in rows:
        line = f"trial {row['trial']}: {row['command']}"
        to.print(line, markup=False, highlight=False, soft_wrap=True)
    for trial in trials:
        if trial.failure is not None:
            line = f"trial {trial.number} failed: {trial.failure}\n  repeat with: {trial.command}"
            to.print(line, markup=False, highlight=False, soft_wrap=True)


def front_files(name: str, trials: Sequence[Trial], records: pd.DataFrame) -> dict[str, str]:
    """Give the table as Markdown and CSV, by the names of the files."""
    rows = front_rows(trials, records)
    shown = [{**row, "command": f"`{row['command']}`"} for row in rows]
    parts = [f"# Study {name}", summary(trials), markdown_table(shown)]
    parts.append(
        f"Generated from the study and the store's records by `clusterpress pareto {name}`."
    )
    return {
        f"pareto-{name}.md": "\n\n".join(parts) + "\n",
        f"pareto-{name}.csv": csv_table(table(rows)),
    }


def _row(trial: Trial, runs: pd.DataFrame, names: dict[str, str]) -> Row:
    known = len(runs) == len(trial.runs)
    ratio = runs["ratio_file"].mean() if known and "ratio_file" in runs else float("nan")
    return {
        "trial": str(trial.number),
        **{names[key]: value for key, value in trial.parameters.items()},
        "validation error, %": _mean(runs, "validation_error") if known else _told(trial),
        "test error, %": _mean(runs, "top1_error") if known else "–",
        "file, bytes": f"{_bytes(trial):,.0f}",
        "ratio, file": "–" if isnan(ratio) else f"{number(ratio, 1)}x",
        "command": trial.command,
    }


def _mean(runs: pd.DataFrame, column: str) -> str:
    found = summarize(runs[column])
    return describe(found) if found.has_interval else number(found.mean)


def _told(trial: Trial) -> str:
    return number(trial.values[0]) if trial.values else "–"


def _bytes(trial: Trial) -> float:
    assert trial.values is not None
    return trial.values[1]
