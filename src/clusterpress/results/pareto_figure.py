"""The trials of a search: error on the validation split against the bytes of the file."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clusterpress.durable import write_atomic
from clusterpress.errors import StoreError
from clusterpress.results.drawing import STYLE, drawn, plain_numbers
from clusterpress.results.pareto import front, front_files
from clusterpress.runs.tried import Trial

_KB = 1000.0


def pareto_figure(
    name: str, trials: Sequence[Trial], records: pd.DataFrame, form: str = "svg"
) -> bytes:
    """Draw all trials grey, the unbeaten ones in colour with their numbers, and the baseline.

    A baseline is drawn where the trials of a network share it, so not where its training is
    searched.

    Args:
        name: The study.
        trials: All its trials.
        records: The tidy table of its store.
        form: ``svg`` or ``pdf``.
    """
    runs = records[records["id"].isin({run for trial in trials for run in trial.runs})]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.add_subplot()
        _draw_trials(axes, trials)
        _draw_front(axes, front(trials))
        for label, size, error in baselines(runs):
            axes.plot(size / _KB, error, "k*", markersize=11, label=f"{label}, uncompressed")
            axes.axhline(error, color="black", linewidth=0.8, linestyle=":")
        axes.set(
            title=f"study {name}",
            xlabel="file, kB",
            xscale="log",
            ylabel="error on the validation split, %",
        )
        plain_numbers(axes.xaxis)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
        return drawn(figure, form)


def baselines(runs: pd.DataFrame) -> list[tuple[str, float, float]]:
    """Give name, bytes and mean validation error in percent of each network's one baseline."""
    found = []
    for model, group in runs.groupby("model"):
        errors = group[["baseline_seed", "baseline_validation_error"]].dropna().drop_duplicates()
        one_size = group["reference_bytes"].nunique() == 1
        if one_size and len(errors) and not errors["baseline_seed"].duplicated().any():
            size = float(group["reference_bytes"].iloc[0])
            found.append((str(model), size, float(errors["baseline_validation_error"].mean())))
    return found


def _draw_trials(axes: Axes, trials: Sequence[Trial]) -> None:
    values = [trial.values for trial in trials if trial.values is not None]
    if values:
        sizes, errors = [size / _KB for _, size in values], [error for error, _ in values]
        axes.plot(sizes, errors, "o", color="0.7", markersize=4, label=f"{len(values)} trials")


def _draw_front(axes: Axes, best: Sequence[Trial]) -> None:
    values = [trial.values for trial in best if trial.values is not None]
    if not values:
        return
    sizes, errors = [size / _KB for _, size in values], [error for error, _ in values]
    # Between two of them, a file of a size is as good as the next smaller one.
    axes.step(sizes, errors, where="post", color="C0", linewidth=1)
    axes.plot(sizes, errors, "o", color="C0", markersize=6, label="unbeaten")
    for trial, size, error in zip(best, sizes, errors, strict=True):
        axes.annotate(
            str(trial.number), (size, error), xytext=(4, 4), textcoords="offset points", fontsize=7
        )


def write_front(
    name: str, trials: Sequence[Trial], records: pd.DataFrame, folder: Path
) -> list[Path]:
    """Write a study's table and picture, ``pareto-<study>.{md,csv,svg}``; give their paths.

    Raises:
        StoreError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}") from error
    contents = {file: text.encode() for file, text in front_files(name, trials, records).items()}
    contents[f"pareto-{name}.svg"] = pareto_figure(name, trials, records)
    for file, content in contents.items():
        write_atomic(folder / file, content)
    return [folder / file for file in contents]
