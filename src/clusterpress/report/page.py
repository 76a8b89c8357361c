"""Put the page together: one file, nothing loaded from elsewhere."""

import base64
import gzip
import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from clusterpress.durable import write_atomic
from clusterpress.report.choice import RULE
from clusterpress.report.details import details
from clusterpress.report.papers import stars, statuses, titles
from clusterpress.report.points import Commands, points
from clusterpress.results.claims import Paper
from clusterpress.results.compare import comparison
from clusterpress.results.names import Names

LIMIT = 6_000_000
"""Bytes that a page has at most; details are left out until it has."""


def write_report(
    records: pd.DataFrame,
    papers: Sequence[Paper],
    names: Names,
    path: Path,
    *,
    commands: Commands,
    store: Path | None = None,
) -> int:
    """Write the page; the same records give the same bytes.

    Args:
        records: The tidy table.
        papers: All papers with their claims.
        names: Point id -> ``(suite, name)`` pairs.
        path: The HTML file; its folder must be there.
        commands: ``(suite, name)`` -> overrides that repeat the point.
        store: Where ledgers, kernels and curves are; without it the page has none.

    Returns:
        Its bytes.

    Raises:
        StoreError: The file cannot be written.
    """
    claims = [claim for paper in papers for claim in paper.claims]
    shown = points(records, names, commands)
    firsts = sorted({str(point["runs"][0]["id"]) for point in shown.important})
    data = {
        "points": shown.points,
        "places": shown.places,
        "measured": shown.measured,
        "rule": RULE,
        "stars": stars(claims),
        "claims": statuses(comparison(records, claims, names)),
        "titles": titles(papers),
        "details": {} if store is None else details(store, firsts),
        "store": store is not None,
        "runs": len(records),
    }
    content = _within(LIMIT, data)
    write_atomic(path, content)
    return len(content)


def _within(limit: int, data: dict[str, Any]) -> bytes:
    """Render the page with as many details as fit; half of them go at a time."""
    content = _rendered(data)
    while len(content) > limit and data["details"]:
        kept = list(data["details"].items())[: len(data["details"]) // 2]
        data = {**data, "details": dict(kept)}
        content = _rendered(data)
    return content


def _rendered(data: dict[str, Any]) -> bytes:
    environment = Environment(
        loader=PackageLoader("clusterpress.report", "parts"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
    )
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    page = environment.get_template("page.html")
    return page.render(data=_packed(text.encode()), plotly=_plotly()).encode()


def _packed(content: bytes) -> str:
    """Compress so that it can stand in a script element; browsers since 2023 can undo it."""
    return base64.b64encode(gzip.compress(content, 1, mtime=0)).decode()


@cache
def _plotly() -> str:
    """Give plotly's script, packed; the package itself, which takes long to import, is not."""
    spec = find_spec("plotly")
    script = Path(str(spec.origin if spec else "")).parent / "package_data" / "plotly.min.js"
    return _packed(script.read_bytes())
