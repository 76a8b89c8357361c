"""Points whose seeds were not written, or not measured, by one version of the code.

A new version of the file has other bytes for the same network, and a new version of the evaluation
measures more of it: errors stay comparable, so such seeds are one group; sizes and the ratio as a
file are not, so what mixes them says so.
"""

from collections.abc import Iterable

import pandas as pd

from clusterpress.results.tidy import ADDED

WORDS = {"artifact_version": "file format", "evaluation_version": "evaluation"}
assert set(WORDS) == set(ADDED)


def mixture(runs: pd.DataFrame) -> str:
    """Say which seeds of a point are of which version; empty where all are of one."""
    differing = [name for name in WORDS if name in runs and runs[name].nunique() > 1]
    if not differing:
        return ""
    return "; ".join(_said(rows, differing) for _, rows in runs.groupby(differing))


def mixed_note(points: Iterable[tuple[str, pd.DataFrame]]) -> str:
    """Give the note of a page about its points that mix versions; empty where none does.

    Args:
        points: The name of each point, and its runs.
    """
    said = ((name, mixture(runs)) for name, runs in points)
    found = dict.fromkeys(f"{name} ({words})" for name, words in said if words)
    if not found:
        return ""
    return (
        f"Seeds of several versions: {', '.join(found)}. Their means are over all seeds: errors "
        "stay comparable, but bytes and the ratio `file` are then of no one version's file."
    )


def _said(rows: pd.DataFrame, differing: Iterable[str]) -> str:
    seeds = sorted(set(rows["seed"]))
    versions = " and ".join(f"{WORDS[name]} {rows[name].iloc[0]}" for name in differing)
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))} of {versions}"
