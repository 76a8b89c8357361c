"""The mistakes in ``experiments/*.yaml``, each a sentence."""

import difflib
import math
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from clusterpress.results.claims import CONVENTIONS, QUANTITIES, Protocol, Relation, Status

PAPER_KEYS = ("paper", "title", "venue", "year", "claims", "suites")
BOUNDS: dict[str, Relation] = {"value": "=", "at_least": "≥", "at_most": "≤"}
REQUIRED = ("id", "data", "model", "quantity", "status", "source")
STRINGS = (*REQUIRED, "paper", "convention", "protocol", "unit", "needs", "note", "row")
SWITCHES = ("no_loss", "any_protocol", "no_number")
CLAIM_KEYS = (
    *STRINGS,
    *BOUNDS,
    *SWITCHES,
    "points",
    "max_error_change",
    "with_ratio",
    "baseline_parameters",
    "idle_parameters",
)
CHOICES: dict[str, Collection[str]] = {
    "quantity": tuple(QUANTITIES),
    "status": get_args(Status),
    "protocol": get_args(Protocol),
    "convention": CONVENTIONS,
}


def paper_problems(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong in one file."""
    yield from _unknown(document, PAPER_KEYS)
    if not isinstance(document.get("paper"), str):
        yield f"'paper' must be text, is {document.get('paper')!r}"
    claims = document.get("claims") or []
    if not isinstance(claims, list):
        yield f"'claims' must be a list, is {type(claims).__name__}"
        return
    for number, claim in enumerate(claims, 1):
        if isinstance(claim, dict):
            yield from (f"claim {claim.get('id', number)}: {p}" for p in _claim_problems(claim))
        else:
            yield f"claim {number}: must be keys and values, is {claim!r}"


def _claim_problems(claim: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(claim, CLAIM_KEYS)
    yield from (f"{key!r} is missing" for key in REQUIRED if key not in claim)
    for key in STRINGS:
        if key in claim and not (isinstance(claim[key], str) and claim[key]):
            yield f"{key!r} must be text, is {claim[key]!r}"
    for key, choices in CHOICES.items():
        if isinstance(claim.get(key), str) and claim[key] not in choices:
            yield f"unknown {key} {claim[key]!r}; the nearest is {_nearest(claim[key], choices)!r}"
    yield from _number_problems(claim)
    yield from _answer_problems(claim)


def _number_problems(claim: Mapping[str, Any]) -> Iterator[str]:
    given = [key for key in BOUNDS if key in claim]
    if len(given) != 1:
        yield f"exactly one of value, at_least, at_most must be given, not {len(given)}"
    for key in given:
        if not (_is_number(claim[key]) or _is_digits(claim[key])):
            yield f"{key!r} must be a finite number or its digits as text, is {claim[key]!r}"
    if "max_error_change" in claim and not _is_number(claim["max_error_change"]):
        yield f"'max_error_change' must be a finite number, is {claim['max_error_change']!r}"
    quantity = QUANTITIES.get(str(claim.get("quantity")))
    if quantity and claim.get("unit", quantity.unit) != quantity.unit:
        yield f"{claim['quantity']} is in {quantity.unit!r}, not in {claim['unit']!r}"
    if claim.get("quantity") == "compression_ratio" and "convention" not in claim:
        yield "a compression_ratio needs its 'convention'"


def _answer_problems(claim: Mapping[str, Any]) -> Iterator[str]:
    points = claim.get("points", [])
    if not (isinstance(points, list) and all(isinstance(name, str) for name in points)):
        yield f"'points' must be a list of names, is {points!r}"
    if not points and not claim.get("needs"):
        yield "'points' (what answers it) or 'needs' (what is missing for that) is wanted"
    for key in SWITCHES:
        if not isinstance(claim.get(key, False), bool):
            yield f"{key!r} must be true or false, is {claim[key]!r}"
    if "no_loss" in claim and "max_error_change" in claim:
        yield "only one of 'no_loss' and 'max_error_change' may be given"
    if claim.get("no_number") is True and claim.get("status") != "derived":
        yield f"'no_number' belongs to a derived claim, this one is {claim.get('status')}"
    yield from _network_problems(claim)


def _network_problems(claim: Mapping[str, Any]) -> Iterator[str]:
    for key in ("baseline_parameters", "idle_parameters"):
        count = claim.get(key, 1)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            yield f"{key!r} must be a whole number from 1 on, is {count!r}"
    if "idle_parameters" in claim and "baseline_parameters" not in claim:
        yield "'idle_parameters' are some of 'baseline_parameters', which are not given"
    counts: list[Any] = [claim.get(key) for key in ("idle_parameters", "baseline_parameters")]
    if all(map(_is_number, counts)) and counts[0] >= counts[1]:
        yield "'idle_parameters' must be fewer than 'baseline_parameters'"
    if "with_ratio" not in claim:
        return
    ratio = claim["with_ratio"]
    if not (
        isinstance(ratio, dict)
        and ratio.keys() == {"convention", "at_least"}
        and ratio["convention"] in CONVENTIONS
        and _is_number(ratio["at_least"])
    ):
        yield f"'with_ratio' must be {{convention: <a convention>, at_least: 40}}, is {ratio!r}"


def duplicates(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the claims whose id is taken by a claim of the same or another file."""
    first: dict[str, str] = {}
    for file, document in documents.items():
        claims = document.get("claims")
        for claim in claims if isinstance(claims, list) else []:
            name = claim.get("id") if isinstance(claim, dict) else None
            if isinstance(name, str) and name in first:
                yield f"{file}: claim {name}: its id is taken by a claim in {first[name]}"
            elif isinstance(name, str):
                first[name] = file


def _unknown(given: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    for key in given:
        if key not in known:
            yield f"unknown key {key!r}; the nearest is {_nearest(str(key), known)!r}"


def _nearest(word: str, known: Collection[str]) -> str:
    return difflib.get_close_matches(word, known, n=1, cutoff=0.0)[0]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_digits(value: object) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False
