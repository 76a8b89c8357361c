"""Read and check ``experiments/*.yaml``; every mistake of every file is reported at once."""

import difflib
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml

from clusterpress.errors import ConfigError
from clusterpress.results.claims import (
    CONVENTIONS,
    QUANTITIES,
    Claim,
    Paper,
    Protocol,
    Relation,
    Status,
)

PAPER_KEYS = ("paper", "title", "venue", "year", "claims", "suites")
BOUNDS: dict[str, Relation] = {"value": "=", "at_least": "≥", "at_most": "≤"}
REQUIRED = ("id", "data", "model", "quantity", "status", "source")
STRINGS = (*REQUIRED, "paper", "convention", "protocol", "unit", "needs", "note")
CLAIM_KEYS = (
    *STRINGS,
    *BOUNDS,
    "points",
    "no_loss",
    "max_error_change",
    "any_protocol",
)
CHOICES: dict[str, Collection[str]] = {
    "quantity": tuple(QUANTITIES),
    "status": get_args(Status),
    "protocol": get_args(Protocol),
    "convention": CONVENTIONS,
}


def load_papers(folder: Path) -> list[Paper]:
    """Read every ``*.yaml`` of the folder, in the order of the files' names.

    Raises:
        ConfigError: The folder is missing, or files hold mistakes; lists all of them.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder of experiments at {folder}")
    problems: list[str] = []
    documents = {path.name: _document(path, problems) for path in sorted(folder.glob("*.yaml"))}
    for file, document in documents.items():
        problems += [f"{file}: {problem}" for problem in _paper_problems(document)]
    problems += _duplicates(documents)
    if problems:
        raise ConfigError("\n".join(problems))
    return [_paper(document) for document in documents.values()]


def load_claims(folder: Path) -> list[Claim]:
    """Read the claims of every paper in the folder.

    Raises:
        ConfigError: As ``load_papers``.
    """
    return [claim for paper in load_papers(folder) for claim in paper.claims]


def _document(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{path.name}: cannot be read as YAML: {error}")
        return {"paper": "?"}
    if isinstance(document, dict):
        return document
    problems.append(f"{path.name}: holds {type(document).__name__}, not keys and values")
    return {"paper": "?"}


def _paper_problems(document: Mapping[str, Any]) -> Iterator[str]:
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
    for key in (*given, *(k for k in ("max_error_change",) if k in claim)):
        if not _is_number(claim[key]):
            yield f"{key!r} must be a finite number, is {claim[key]!r}"
    quantity = QUANTITIES.get(str(claim.get("quantity")))
    if quantity and claim.get("unit", quantity.unit) != quantity.unit:
        yield f"{claim['quantity']} is in {quantity.unit!r}, not in {claim['unit']!r}"
    if claim.get("quantity") == "compression_ratio" and "convention" not in claim:
        yield "a compression_ratio needs its 'convention'"


def _answer_problems(claim: Mapping[str, Any]) -> Iterator[str]:
    points = claim.get("points", [])
    if not (isinstance(points, list) and all(isinstance(name, str) for name in points)):
        yield f"'points' must be a list of names, is {points!r}"
    if bool(points) == bool(claim.get("needs")):
        yield "exactly one of 'points' (what answers it) and 'needs' (what is missing) is wanted"
    for key in ("no_loss", "any_protocol"):
        if not isinstance(claim.get(key, False), bool):
            yield f"{key!r} must be true or false, is {claim[key]!r}"
    if "no_loss" in claim and "max_error_change" in claim:
        yield "only one of 'no_loss' and 'max_error_change' may be given"


def _duplicates(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
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


def _paper(document: Mapping[str, Any]) -> Paper:
    claims = tuple(_claim(claim, document["paper"]) for claim in document.get("claims") or [])
    title, venue = (str(document.get(key) or "") for key in ("title", "venue"))
    return Paper(document["paper"], title, venue, document.get("year"), claims)


def _claim(entries: Mapping[str, Any], paper: str) -> Claim:
    fields = {key: value for key, value in entries.items() if key not in (*BOUNDS, "unit")}
    bound = next(key for key in BOUNDS if key in entries)
    if fields.pop("no_loss", False):
        fields["max_error_change"] = 0.0
    fields["points"] = tuple(fields.get("points", ()))
    return Claim(**{"paper": paper, **fields}, relation=BOUNDS[bound], value=float(entries[bound]))
