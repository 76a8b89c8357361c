"""Put the page together: one file, nothing loaded from elsewhere."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from clusterpress.durable import write_atomic
from clusterpress.report.details import details
from clusterpress.report.papers import stars, statuses, titles
from clusterpress.report.points import Commands, points
from clusterpress.results.claims import Paper
from clusterpress.results.compare import comparison
from clusterpress.results.names import Names


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
    firsts = sorted({str(point["runs"][0]["id"]) for point in shown})
    data = {
        "points": shown,
        "stars": stars(claims),
        "claims": statuses(comparison(records, claims, names)),
        "titles": titles(papers),
        "details": {} if store is None else details(store, firsts),
        "runs": len(records),
    }
    content = _rendered(data).encode()
    write_atomic(path, content)
    return len(content)


def _rendered(data: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("clusterpress.report", "parts"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
    )
    # Inside a script element nothing may look like the end of it.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return environment.get_template("page.html").render(data=text, plotly=get_plotlyjs())
