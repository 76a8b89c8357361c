"""The comparison in words: the cells that Markdown, README and console all print."""

import math
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from clusterpress.results.claims import QUANTITIES
from clusterpress.results.statistics import describe_p, number

Cells = dict[str, str]
DIGITS = {"%": 2, "points": 2, "x": 2, "bytes": 0, "MACs": 0}
OURS = {"inferred": "our reading", "derived": "our arithmetic"}


def measured_cells(compared: pd.DataFrame) -> list[Cells]:
    """Give one row of cells for every row of a comparison that was measured."""
    return [_measured(row) for row in compared[compared["n"] > 0].to_dict("records")]


def missing_cells(compared: pd.DataFrame) -> list[Cells]:
    """Give one row of cells for every claim that was not run, with what it needs."""
    return [_missing(row) for row in compared[compared["n"] == 0].to_dict("records")]


def _measured(row: Mapping[Hashable, Any]) -> Cells:
    ours = amount(row["ours"], row["unit"])
    return {
        "paper": row["paper"],
        "point": row["name"] + (" (selected)" if row["selected"] else ""),
        "profile": row["profile"],
        "claim": claim_words(row),
        "paper's number": printed(row),
        "ours": _with_interval(
            ours, row, "ours", DIGITS[row["unit"]], (*_of_images(row), row["versions"])
        ),
        "Δ paper": signed(row["delta_paper"], row["unit"]) if row["has_number"] else "–",
        "p (Holm)": describe_p(row["p_holm"]),
        "Δ own baseline (points)": _with_interval(
            number(row["delta_baseline"], signed=True),
            row,
            "delta_baseline",
            2,
            (_baselines(row), images_words(row["test_set_change"])),
        ),
        "ratio, paper's convention": _ratio(row["ratio_convention"], row["convention"]),
        "ratio, file": amount(row["ratio_file"], "x"),
        "protocol": _protocols(row),
        "verdict": row["verdict"] + (f" ({row['why']})" if row["why"] else ""),
        "note": row["note"],
    }


def _missing(row: Mapping[Hashable, Any]) -> Cells:
    return {
        "paper": row["paper"],
        "network": row["model"],
        "data": row["claim_data"],
        "claim": claim_words(row),
        "paper's number": printed(row),
        "source": row["source"],
        "verdict": f"{row['verdict']} ({row['why']})",
        "note": row["note"],
    }


def claim_words(row: Mapping[Hashable, Any]) -> str:
    """Say what is claimed: the quantity, the convention of a ratio, the conditions.

    A number of our own stands here, marked as such, and never in the paper's column.
    """
    words = QUANTITIES[row["quantity"]].words
    if row["quantity"] == "compression_ratio":
        words += f" by `{row['convention']}`"
    if not row["has_number"]:
        words += f" {row['relation']} {_value(row)} ({OURS[row['status']]})"
    allowed = row["max_error_change"]
    if not math.isnan(allowed):
        loss = f"at most {allowed:+g} points against the own baseline"
        words += ", without loss" if allowed == 0 else f", {loss}"
    return words + (f", at {row['with_ratio']} or more" if row["with_ratio"] else "")


def printed(row: Mapping[Hashable, Any]) -> str:
    """Give the paper's number with all its digits, its relation and its status; ``–`` for ours."""
    if not row["has_number"]:
        return "–"
    relation = "" if row["relation"] == "=" else f"{row['relation']} "
    return f"{relation}{_value(row)} ({row['status']})"


def _value(row: Mapping[Hashable, Any]) -> str:
    return _unit(f"{Decimal(row['printed']):,f}", row["unit"])


def amount(value: float, unit: str) -> str:
    """Give one of our numbers with its unit; ``–`` for NaN."""
    return "–" if math.isnan(value) else _unit(number(value, DIGITS[unit]), unit)


def signed(value: float, unit: str) -> str:
    """Give a difference with its sign and unit; ``–`` for NaN."""
    unit = "points" if unit == "%" else unit
    return "–" if math.isnan(value) else _unit(number(value, DIGITS[unit], signed=True), unit)


def _unit(value: str, unit: str) -> str:
    return f"{value}x" if unit == "x" else f"{value} {unit}"


def _with_interval(
    mean: str, row: Mapping[Hashable, Any], column: str, digits: int, words: Sequence[str]
) -> str:
    if mean == "–":
        return mean
    about = "; ".join(filter(None, words))
    about = f"; {about}" if about else ""
    if row["n"] < 2:
        return f"{mean} (n = 1, no interval{about})"
    half = (row[f"{column}_high"] - row[f"{column}_low"]) / 2
    return f"{mean} ± {half:.{digits}f} (n = {row['n']}{about})"


def _of_images(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    """Say what the test images leave open, of the quantities that they decide."""
    column = {"top1_error": "test_set", "error_change": "test_set_change"}.get(row["quantity"])
    return (images_words(row[column]),) if column else ()


def images_words(half: float) -> str:
    """Say half the interval over test images; nothing where it is not known."""
    return "" if math.isnan(half) else f"test set ± {half:.2f}"


def _baselines(row: Mapping[Hashable, Any]) -> str:
    """Say that runs share baselines: the interval then does not tell of other baselines."""
    count = int(row["baselines"])
    if count >= row["n"]:
        return ""
    return "one baseline" if count == 1 else f"{count} baselines"


def _ratio(value: float, convention: str) -> str:
    return "–" if math.isnan(value) else f"{amount(value, 'x')} `{convention}`"


def _protocols(row: Mapping[Hashable, Any]) -> str:
    return f"{row['protocol']} (paper: {row['paper_protocol']})"
