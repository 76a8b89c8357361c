"""Read and check ``experiments/*.yaml``; every mistake of every file is reported at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from clusterpress.errors import ConfigError
from clusterpress.reading import read_yaml
from clusterpress.results.claim_problems import BOUNDS, duplicates, paper_problems
from clusterpress.results.claims import AtRatio, Claim, Paper


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
        problems += [f"{file}: {problem}" for problem in paper_problems(document)]
    problems += duplicates(documents)
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
        document = read_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{path.name}: cannot be read as YAML: {error}")
        return {"paper": "?"}
    if isinstance(document, dict):
        return document
    problems.append(f"{path.name}: holds {type(document).__name__}, not keys and values")
    return {"paper": "?"}


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
    if "with_ratio" in fields:
        fields["with_ratio"] = AtRatio(**fields["with_ratio"])
    return Claim(**{"paper": paper, **fields}, relation=BOUNDS[bound], printed=str(entries[bound]))
