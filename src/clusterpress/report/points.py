"""The points of the page: what their seeds say together, and where each run comes from."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clusterpress.report.choice import MOST, chosen_groups
from clusterpress.report.spreads import finite, spreads
from clusterpress.results.images import COLUMNS, half_widths
from clusterpress.results.names import Names, named_runs
from clusterpress.results.statistics import BASELINE
from clusterpress.results.tidy import ADDED, ORIGIN
from clusterpress.results.versions import mixture

Commands = Mapping[tuple[str, str], Sequence[str]]
KEYS = ["suite", "name", "data", "point"]
RATIO, AFTER = "ratio_", "error_after_"
UNNAMED = "no suite"
UNKNOWN: dict[str, float | None] = {"test_set": None, "test_set_change": None}
PLACE = tuple(name for name in ORIGIN if name != "finished")
"""Where a run was made: few places, many runs."""


@dataclass(frozen=True)
class Shown:
    """The points that the page shows, as JSON-safe values.

    Attributes:
        points: Those shown, one for every suite that has it.
        places: Where runs were made; a run's ``place`` is a number in this list.
        measured: How many points were measured, also those that are not shown.
        important: Those whose details are wanted: of suites, or unbeaten.
    """

    points: list[dict[str, Any]]
    places: list[dict[str, str]]
    measured: int
    important: list[dict[str, Any]]


def points(records: pd.DataFrame, names: Names, commands: Commands, most: int = MOST) -> Shown:
    """Give the points to show; see ``choice`` for which where there are many.

    Args:
        records: The tidy table.
        names: Point id -> ``(suite, name)`` pairs.
        commands: ``(suite, name)`` -> Hydra overrides that repeat it, without the seed.
        most: About how many points are shown.
    """
    named = named_runs(records, names)
    loose = records[~records["point"].isin(set(names))]
    loose = loose.assign(suite=UNNAMED, name=loose["model"] + "-" + loose["method"])
    frame = pd.concat([named, loose], ignore_index=True) if len(loose) else named
    group = frame.groupby(KEYS, sort=False).ngroup()
    shown, important = chosen_groups(frame, group, frame["suite"] != UNNAMED, most)
    measured = int(group.max()) + 1 if len(group) else 0
    kept = group.isin(shown)
    found, places = _points(frame[kept], group[kept], commands)
    return Shown(
        list(found.values()), places, measured, [found[number] for number in sorted(important)]
    )


def _points(
    runs: pd.DataFrame, group: pd.Series, commands: Commands
) -> tuple[dict[int, dict[str, Any]], list[dict[str, str]]]:
    ratios = [str(name) for name in runs if str(name).startswith(RATIO)]
    after = [str(name) for name in runs if str(name).startswith(AFTER)]
    change = runs["top1_error"] - runs["baseline_top1_error"]
    columns = runs[["baseline_top1_error", "top1_error", *ratios, *after]].assign(change=change)
    again = runs[BASELINE].assign(group=group).duplicated()
    # A baseline that several runs share is one observation of baselines.
    columns = columns.assign(baseline_top1_error=runs["baseline_top1_error"].mask(again))
    known = spreads(columns, group)
    firsts = runs.groupby(group, sort=False).first()
    means = _means(runs, group, again)
    place = runs.groupby([*PLACE], sort=False).ngroup()
    listed, images = _runs(runs, group, place), _images(runs, group)
    mixed = _versions(runs, group)
    rows = zip(map(int, firsts.index), firsts.to_dict("records"), strict=True)
    found = {
        number: _point(row, known[number], means[number], listed[number], commands)
        | images.get(number, UNKNOWN)
        | {"versions": mixed.get(number, "")}
        for number, row in rows
    }
    places = runs[[*PLACE]].assign(place=place).drop_duplicates("place").sort_values("place")
    listed_places = places[[*PLACE]].to_dict("records")
    return found, [{str(k): str(v) for k, v in row.items()} for row in listed_places]


def _means(runs: pd.DataFrame, group: pd.Series, again: pd.Series) -> dict[int, dict[str, float]]:
    sizes = pd.DataFrame(
        {
            "bytes": runs["file_bytes"],
            "parameters": runs["parameters"] / runs["baseline_parameters"],
            "macs": runs["macs"] / runs["baseline_macs"],
            "selected": runs["selected"],
        }
    )
    grouped = sizes.groupby(group, sort=False)
    means = grouped[["bytes", "parameters", "macs"]].mean()
    baselines = (~again).groupby(group, sort=False).sum()
    means = means.assign(selected=grouped["selected"].all(), baselines=baselines)
    rows = means.to_dict("records")
    return {
        number: {str(name): value for name, value in row.items()}
        for number, row in zip(map(int, means.index), rows, strict=True)
    }


def _point(
    first: Mapping[Any, Any],
    known: Mapping[str, dict[str, Any]],
    means: Mapping[str, Any],
    runs: list[dict[str, Any]],
    commands: Commands,
) -> dict[str, Any]:
    count = len(runs)
    return {
        **{name: str(first[name]) for name in (*KEYS, "model", "method", "profile", "protocol")},
        "selected": bool(means["selected"]),
        "baselines": int(means["baselines"]),
        "baseline": known["baseline_top1_error"],
        "error": known["top1_error"],
        "change": known["change"],
        "ratios": {
            name.removeprefix(RATIO): spread
            for name, spread in known.items()
            if name.startswith(RATIO) and spread["n"] == count
        },
        **{name: finite(means[name]) for name in ("bytes", "parameters", "macs")},
        "stages": list(_stages(str(first["stages"]), known)),
        "runs": runs,
        "command": _command(commands, first, runs),
    }


def _stages(stages: str, known: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for stage in stages.split(";"):
        if f"{AFTER}{stage}" in known:
            yield {"name": stage, "error": known[f"{AFTER}{stage}"]}


def _images(runs: pd.DataFrame, group: pd.Series) -> dict[int, dict[str, float | None]]:
    """Give what the test images leave open, of the points whose records tell."""
    if COLUMNS[0] not in runs:
        return {}
    known = runs[COLUMNS].dropna()
    found = {}
    for number, rows in known.groupby(group.loc[known.index]):
        error, change = half_widths(rows)
        found[int(str(number))] = {"test_set": finite(error), "test_set_change": finite(change)}
    return found


def _versions(runs: pd.DataFrame, group: pd.Series) -> dict[int, str]:
    """Say of the points whose seeds are of several versions which are of which."""
    several = runs[[*ADDED]].groupby(group).nunique().gt(1).any(axis=1)
    kept = group.isin(several.index[several])
    return {int(str(n)): mixture(rows) for n, rows in runs[kept].groupby(group[kept])}


def _runs(
    runs: pd.DataFrame, group: pd.Series, place: pd.Series
) -> dict[int, list[dict[str, Any]]]:
    columns = ["id", "seed", "baseline_seed", "top1_error", "stage_seconds", "finished"]
    found: dict[int, list[dict[str, Any]]] = {}
    rows = runs[columns].to_dict("records")
    for number, where, row in zip(group, place, rows, strict=True):
        found.setdefault(int(number), []).append(
            {
                "id": row["id"],
                "seed": int(row["seed"]),
                "baseline_seed": int(row["baseline_seed"]),
                "error": finite(row["top1_error"]),
                "seconds": finite(row["stage_seconds"]),
                "finished": str(row["finished"]),
                "place": int(where),
            }
        )
    return found


def _command(
    commands: Commands, first: Mapping[Any, Any], runs: Sequence[Mapping[str, Any]]
) -> str:
    """Give what repeats the point at its own seeds; empty for a point of no suite."""
    overrides = commands.get((str(first["suite"]), str(first["name"])))
    if overrides is None:
        return ""
    words = list(overrides)
    if first["profile"] != "cpu" and not any(word.startswith("profile=") for word in words):
        words.append(f"profile={first['profile']}")
    baselines = {run["baseline_seed"] for run in runs}
    own = all(run["baseline_seed"] == run["seed"] for run in runs)
    if not own and len(baselines) == 1 and not any("baseline_seed=" in word for word in words):
        words.append(f"baseline_seed={min(baselines)}")
    seeds = ",".join(str(seed) for seed in sorted({run["seed"] for run in runs}))
    return " ".join(["clusterpress run -m", *map(shlex.quote, words), f"seed={seeds}"])
