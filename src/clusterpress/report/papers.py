"""The claims of the papers for the page: the marks of the plot, and the status of each."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from clusterpress.results.cells import amount, claim_words, printed
from clusterpress.results.claims import Claim, Paper
from clusterpress.results.statistics import describe_p


def stars(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Give every ratio that a paper prints, with the accuracy of its row where there is one."""
    errors = {
        (claim.paper, claim.row): claim
        for claim in claims
        if claim.quantity == "top1_error" and claim.row
    }
    return [
        _star(claim, errors.get((claim.paper, claim.row)))
        for claim in claims
        if claim.quantity == "compression_ratio" and claim.has_number
    ]


def _star(claim: Claim, error: Claim | None) -> dict[str, Any]:
    exact = error is not None and claim.relation == "="
    return {
        "paper": claim.paper,
        "data": claim.data,
        "model": claim.model,
        "convention": claim.convention,
        "ratio": claim.value,
        "accuracy": 100 - error.value if error is not None and exact else None,
        "label": f"{claim.paper} {claim.row or claim.model}: "
        f"{claim.relation.strip('=')}{claim.printed}x ({claim.status})",
    }


def statuses(compared: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the status of every claim: what it says, what we measured, the verdict and why.

    A claim that several points answer stands there as often, under the same ``id``.
    """
    return [
        {
            "id": row["claim"],
            "paper": row["paper"],
            "data": row["claim_data"],
            "model": row["model"],
            "point": row["name"],
            "claim": claim_words(row),
            "printed": printed(row),
            "source": row["source"],
            "ours": amount(row["ours"], row["unit"]) if row["n"] else "–",
            "n": int(row["n"]),
            "p": describe_p(row["p_holm"]),
            "verdict": row["verdict"],
            "why": row["why"],
            "note": row["note"],
        }
        for row in compared.to_dict("records")
    ]


def titles(papers: Sequence[Paper]) -> dict[str, str]:
    """Give every paper's title with venue and year."""
    return {
        paper.paper: ", ".join(filter(None, [paper.title, paper.venue, str(paper.year or "")]))
        for paper in papers
    }
