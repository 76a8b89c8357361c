"""The names under which suites know the points."""

import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

Names = Mapping[str, Sequence[tuple[str, str]]]
"""Point id -> the ``(suite's paper, name in that suite)`` pairs that it serves."""

_NONE = "-none"
_NUMBER = r"(?P<number>\d*\.?\d+)(?:-(?P<variant>.+))?"
_KEEP = re.compile(rf"[^-]+-keep{_NUMBER}")
_REMOVED = re.compile(rf"[^-]+-removed{_NUMBER}")
_BITS = re.compile(r"(?P<model>[^-]+)-(?P<bits>\d+)bit(?:-(?P<variant>.+))?")


def named_runs(records: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Give the records with the columns ``suite`` and ``name``: one row a run, suite and name.

    A point that serves two suites appears in both; a point without a name does not appear.
    Rows follow the order of ``names``, then the seed.
    """
    places = [(point, *place) for point, pairs in names.items() for place in pairs]
    table = pd.DataFrame(places, columns=["point", "suite", "name"], dtype=object)
    table = table.assign(order=range(len(table)))
    joined = table.merge(records.astype({"point": object}), on="point", how="inner")
    return joined.sort_values(["order", "data", "seed"], ignore_index=True).drop(columns="order")


def unnamed_points(records: pd.DataFrame, names: Names) -> list[str]:
    """List the points that no suite names."""
    return sorted(set(records["point"]) - set(names))


def keep_of(name: str) -> tuple[float, str] | None:
    """Read keep ratio and variant from ``<model>-keep<ratio>[-<variant>]``; else None."""
    return _number_and_variant(_KEEP, name)


def removed_of(name: str) -> tuple[float, str] | None:
    """Read percentage and variant from ``<model>-removed<percent>[-<variant>]``; else None."""
    return _number_and_variant(_REMOVED, name)


def bits_of(name: str) -> tuple[int, str] | None:
    """Read bits and variant from ``<model>-<bits>bit[-<variant>]``; else None."""
    found = _BITS.fullmatch(name)
    return (int(found["bits"]), found["variant"] or "") if found else None


def control_of(name: str, names: Iterable[str]) -> str | None:
    """Choose a point's ``none`` among a suite's names; None where there is none.

    ``<start>-none`` serves ``<start>`` and ``<start>-<variant>``, and of several the one with the
    longest start: points of one network need not train for the same epochs.
    """
    if name.endswith(_NONE):
        return None
    starts = [other.removesuffix(_NONE) for other in names if other.endswith(_NONE)]
    serving = [start for start in starts if f"{name}-".startswith(f"{start}-")]
    return f"{max(serving, key=len)}{_NONE}" if serving else None


def _number_and_variant(pattern: re.Pattern[str], name: str) -> tuple[float, str] | None:
    found = pattern.fullmatch(name)
    return (float(found["number"]), found["variant"] or "") if found else None
