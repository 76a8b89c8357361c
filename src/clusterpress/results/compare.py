"""Set every claim beside what we measured."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from clusterpress.results.claims import Claim, measure
from clusterpress.results.images import half_widths
from clusterpress.results.names import Names, named_runs
from clusterpress.results.statistics import (
    NOTHING,
    Summary,
    baselines_of,
    change_to_baseline,
    holm,
    mean_of,
    summarize,
)
from clusterpress.results.verdicts import Verdict, corrected, judge, p_exceeds
from clusterpress.results.versions import mixture

COLUMNS = (
    "claim",
    "paper",
    "data",
    "claim_data",
    "model",
    "name",
    "profile",
    "point",
    "quantity",
    "unit",
    "convention",
    "relation",
    "paper_value",
    "printed",
    "has_number",
    "max_error_change",
    "with_ratio",
    "status",
    "source",
    "note",
    "paper_protocol",
    "ours",
    "ours_low",
    "ours_high",
    "n",
    "delta_paper",
    "baseline_error",
    "delta_baseline",
    "delta_baseline_low",
    "delta_baseline_high",
    "baselines",
    "ours_std",
    "test_set",
    "test_set_change",
    "p",
    "p_holm",
    "family",
    "ratio_convention",
    "ratio_file",
    "protocol",
    "selected",
    "versions",
    "verdict",
    "why",
)


Answers = dict[tuple[str, str], list[pd.DataFrame]]


def comparison(records: pd.DataFrame, claims: Sequence[Claim], names: Names) -> pd.DataFrame:
    """Compare every claim with every point that answers it.

    Args:
        records: The tidy table.
        claims: All claims.
        names: Point id -> ``(suite's paper, name in that suite)`` pairs.

    Returns:
        One row a claim, answering name and measured data set, with the columns ``COLUMNS``; one
        row with the verdict *not run* where nothing answers. ``data`` is where we measured
        (empty where we did not), ``claim_data`` where the paper did; ``ours``, ``paper_value``
        and ``delta_paper`` (ours minus the claim's number) are in ``unit``; errors and their
        deltas in percent points; a paired 95 % interval belongs to ``delta_baseline``.
        ``has_number`` says whether the number is the paper's or our own. ``n`` counts runs, and
        baselines where the claim is of the baseline. ``baselines`` counts the
        baselines that the runs share; ``test_set`` and ``test_set_change`` are half the bootstrap's
        95 % interval over test images of error and change (``images.half_widths``). ``versions``
        says which seeds are of which version, where they are not of one (``versions.mixture``).
        ``p`` is that of ``verdicts.p_exceeds``; ``p_holm`` is corrected for the ``family``
        comparisons (rows: a claim beside two points is two) on the same data, which stand in one
        table, and the verdict follows it.
    """
    runs = named_runs(records, names)
    points = list(runs.groupby(["suite", "name", "data", "point"], sort=False))
    answers: Answers = {}
    for (suite, name, _, _), group in points:
        answers.setdefault((str(suite), str(name)), []).append(group)
    rows = [row for claim in claims for row in _answers(claim, answers)]
    return _corrected(pd.DataFrame(rows, columns=list(COLUMNS)))


def _corrected(compared: pd.DataFrame) -> pd.DataFrame:
    """Apply Holm's correction to each table: to the comparisons that were made on one data set."""
    for _, rows in compared[compared["p"].notna()].groupby("data"):
        compared.loc[rows.index, "p_holm"] = holm(rows["p"])
        compared.loc[rows.index, "family"] = float(len(rows))
    for place, row in compared[compared["p"].notna()].iterrows():
        verdict = corrected(Verdict(row["verdict"], row["why"]), row["p_holm"], int(row["family"]))
        compared.loc[place, ["verdict", "why"]] = [verdict.word, verdict.why]
    return compared


def _answers(claim: Claim, answers: Answers) -> Iterator[dict[str, Any]]:
    if not claim.points:
        yield _not_run(claim, "", f"needs {claim.needs}")
    for name in claim.points:
        answering = [g for g in answers.get((claim.paper, name), []) if _answers_to(claim, g)]
        if not answering:
            yield _not_run(
                claim, name, f"needs {claim.needs or f'a run of {name} on {claim.data}'}"
            )
        for group in answering:
            yield _measured(claim, name, group)


def _answers_to(claim: Claim, runs: pd.DataFrame) -> bool:
    """Say whether runs may stand beside a claim: on other data only those of the same network.

    Two suites may call points of different networks by one name.
    """
    if runs["data"].iloc[0] == claim.data:
        return True
    return runs["model"].iloc[0] == claim.model and claim.is_of(runs["baseline_parameters"])


def _not_run(claim: Claim, name: str, why: str) -> dict[str, Any]:
    return _claimed(claim) | {
        "data": "",
        "name": name,
        "profile": "",
        "point": "",
        "n": 0,
        "protocol": "",
        "selected": False,
        "versions": "",
        "verdict": "not run",
        "why": why,
    }


def _measured(claim: Claim, name: str, runs: pd.DataFrame) -> dict[str, Any]:
    compressed = not claim.quantity.startswith("baseline_")
    # Runs that share a baseline measured it once: it is one observation, whatever their seeds.
    runs = runs if compressed else baselines_of(runs)
    values = measure(claim, runs)
    ours = NOTHING if values is None else summarize(values)
    change = change_to_baseline(runs)
    protocol = "/".join(sorted(set(runs["protocol"])))
    verdict = _verdict(claim, ours, change, runs)
    return _claimed(claim) | {
        "data": runs["data"].iloc[0],
        "name": name,
        "profile": runs["profile"].iloc[0],
        "point": runs["point"].iloc[0],
        **_spread("ours", ours),
        "n": len(runs),
        "baselines": len(baselines_of(runs)),
        "ours_std": ours.std,
        **_test_set(runs),
        "p": math.nan if verdict.word == "not comparable" else p_exceeds(claim, ours),
        "delta_paper": ours.mean - claim.value,
        "baseline_error": summarize(runs["baseline_top1_error"]).mean,
        **_spread("delta_baseline", change if compressed else NOTHING),
        "ratio_convention": mean_of(runs, f"ratio_{claim.convention}") if compressed else math.nan,
        "ratio_file": mean_of(runs, "ratio_file") if compressed else math.nan,
        "protocol": protocol,
        "selected": bool(runs["selected"].all()),
        "versions": mixture(runs),
        "verdict": verdict.word,
        "why": verdict.why,
    }


def _test_set(runs: pd.DataFrame) -> dict[str, float]:
    error, change = half_widths(runs)
    return {"test_set": error, "test_set_change": change}


def _verdict(claim: Claim, ours: Summary, change: Summary, runs: pd.DataFrame) -> Verdict:
    data, model = runs["data"].iloc[0], runs["model"].iloc[0]
    if data != claim.data:
        return Verdict("not comparable", f"measured on {data}, the paper's is {claim.data}")
    if model != claim.model:
        return Verdict("not comparable", f"measured with {model}, the paper's is {claim.model}")
    if not claim.is_of(runs["baseline_parameters"]):
        counts = "/".join(f"{count:,}" for count in sorted({*runs["baseline_parameters"]}))
        return Verdict(
            "not comparable",
            f"another network: its baseline has {counts} parameters, the paper's "
            f"{claim.baseline_parameters:,}",
        )
    if ours.n == 0:
        what = f"ratio by {claim.convention}" if not claim.kind.columns else claim.quantity
        return Verdict("not comparable", f"the records hold no {what}")
    return judge(claim, ours, change, "/".join(sorted(set(runs["protocol"]))), _ratio(claim, runs))


def _ratio(claim: Claim, runs: pd.DataFrame) -> Summary:
    """Summarise the ratio that the claim's error belongs to."""
    column = f"ratio_{claim.with_ratio.convention}" if claim.with_ratio else ""
    return summarize(runs[column]) if column in runs else NOTHING


def _claimed(claim: Claim) -> dict[str, Any]:
    allowed, wanted = claim.max_error_change, claim.with_ratio
    return {
        "claim": claim.id,
        "paper": claim.paper,
        "claim_data": claim.data,
        "model": claim.model,
        "quantity": claim.quantity,
        "unit": claim.kind.unit,
        "convention": claim.convention or "",
        "relation": claim.relation,
        "paper_value": claim.value,
        "printed": claim.printed,
        "has_number": claim.has_number,
        "max_error_change": math.nan if allowed is None else allowed,
        "with_ratio": f"{wanted.at_least:g}x by `{wanted.convention}`" if wanted else "",
        "status": claim.status,
        "source": claim.source,
        "note": claim.note,
        "paper_protocol": claim.protocol,
    }


def _spread(name: str, summary: Summary) -> dict[str, float]:
    return {name: summary.mean, f"{name}_low": summary.low, f"{name}_high": summary.high}
