"""The comparison, and the list of what a results folder holds."""

from collections.abc import Iterator

import pandas as pd

from clusterpress.results.cells import measured_cells, missing_cells
from clusterpress.results.curve_tables import bits_page, merging_page
from clusterpress.results.curves import bits, merging
from clusterpress.results.latex import csv_table, latex_table
from clusterpress.results.layout import Page, Section, page, section, table, tables
from clusterpress.results.markdown import markdown
from clusterpress.results.names import Names, named_runs, unnamed_points
from clusterpress.results.statistics import BASELINE, number
from clusterpress.results.suites import suite_page
from clusterpress.results.versions import mixed_note

LEGEND = (
    "Errors are top-1 on the official test set, in percent; Δ is ours minus theirs. ± is half the "
    "95 % t-interval over n seeds; n = 1 has none, and nothing is tested. Δ own baseline is paired "
    "by seed; where runs share one baseline, its interval tells of the method alone, not of other "
    "baselines. *Test set ±* is half the 95 % bootstrap interval over the test images (of a Δ "
    "paired by image), where the records hold which were right: it is of one trained network, and "
    "an upper bound for the mean over seeds, which share the images. It is never less than the "
    "share of images of which the test set may have none by chance. A status says how the paper's "
    "number is known: found in its own text, secondary (another text), derived by arithmetic, "
    "inferred (our reading). A number that no paper prints stands beside the claim, never as the "
    "paper's: our reading holds or does not, our arithmetic agrees or disagrees. The ratio by the "
    "paper's convention leaves out what the paper left out; the ratio as a file counts every byte "
    "on disk. A selected point was chosen on validation data. Profile `cpu` has short schedules "
    "that two cores can finish, `paper` on CIFAR son2018's for all. The rule of the verdict is the "
    "docstring of `clusterpress.results.verdicts.judge`."
)

FULL = "paper"
SHORTENED = ("cifar10", "cifar100", "imagenet")  # Data whose schedules the profile cpu shortens.
_FULL_ON_GPU = f"--set profile={FULL} --set trainer=gpu"
OPEN = (
    "Claims above that depend on a trained network's error and were measured with short schedules "
    "alone. Their rows in the profile `paper` are open until a GPU has run them. On CIFAR its "
    "schedule is son2018's, for other papers' networks and methods too."
)
SHARED = (
    "Hours of training and evaluation, all points and seeds of a suite: a baseline is trained once "
    "and serves every point that begins with it, here also those of other suites."
)
HOURS = (
    "Process hours are the time that the processes took which wrote these records. What they found "
    "done already, by another run or before they were killed, is not in them, nor are the runs "
    "whose records these have replaced. The commit is that of such a process."
)


def table_files(records: pd.DataFrame, compared: pd.DataFrame, names: Names) -> dict[str, str]:
    """Give every file of ``results/tables`` by its name.

    A page is Markdown; each of its tables is LaTeX and CSV too, ``<page>.<section>.tex``. The
    cells are the same words everywhere; ``comparison.csv`` has the comparison's numbers.
    """
    found = {"comparison.csv": numbers_csv(compared)}
    for name, of in pages(records, compared, names).items():
        found[f"{name}.md"] = markdown(of)
        for place, title, each in tables(name, of):
            found[f"{place}.tex"] = latex_table(title, each)
            found[f"{place}.csv"] = csv_table(each)
    return found


def numbers_csv(compared: pd.DataFrame) -> str:
    """Give the comparison as numbers, a row for each claim and point; see ``comparison``."""
    return compared.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def pages(records: pd.DataFrame, compared: pd.DataFrame, names: Names) -> dict[str, Page]:
    """Give every page of ``results/tables`` by its file name without its ending."""
    runs = named_runs(records, names)
    found = {"comparison": comparison_page(compared)}
    for suite, data in _pairs(runs):
        chosen = runs[(runs["suite"] == suite) & (runs["data"] == data)]
        own = [name for pairs in names.values() for of, name in pairs if of == suite]
        found[f"{suite}-{data}"] = suite_page(suite, data, chosen, own)
    for of_data in (group for _, group in runs.groupby("data")):
        data = of_data["data"].iloc[0]
        curve, by_bits = merging(of_data), bits(of_data)
        if not curve.empty:
            found[f"merging-{data}"] = merging_page(data, curve, _mixed(of_data, curve))
        if not by_bits.empty:
            found[f"bits-{data}"] = bits_page(data, by_bits, _mixed(of_data, by_bits))
    return found | {"provenance": provenance_page(records, names)}


def _mixed(runs: pd.DataFrame, curve: pd.DataFrame) -> str:
    shown = runs[runs["point"].isin(curve["point"])]
    return mixed_note((str(name), of) for (name, _), of in shown.groupby(["name", "point"]))


def comparison_page(compared: pd.DataFrame) -> Page:
    """Give the comparison: a section a measured data set, then what was not run."""
    sections: list[str | Section] = [LEGEND]
    for name, rows in compared[compared["n"] > 0].groupby("data"):
        words = [text for text in (_family(rows),) if text]
        sections.append(section(f"Measured on {name}", *words, table(measured_cells(rows))))
    missing = missing_cells(compared)
    if open_ := _open_rows(compared):
        sections.append(section(f"Open in the profile {FULL}", OPEN, table(open_)))
    if missing:
        sections.append(section("Not run", table(missing)))
    return page("Claims compared", *sections)


def _open_rows(compared: pd.DataFrame) -> list[dict[str, str]]:
    """Count the claims that no run of the papers' own schedules answers, by paper and data."""
    run = compared[(compared["n"] > 0) & (compared["data"] == compared["claim_data"])]
    run = run[run["quantity"].str.contains("error") | run["max_error_change"].notna()]
    done = set(run.loc[run["profile"] == FULL, "claim"])
    still = run[~run["claim"].isin(done) & run["data"].isin(SHORTENED)]
    return [
        {
            "data": str(data),
            "paper": str(paper),
            "claims": str(rows["claim"].nunique()),
            "command": f"clusterpress reproduce {paper} --data {data} {_FULL_ON_GPU}",
        }
        for (data, paper), rows in still.groupby(["data", "paper"])
    ]


def _family(rows: pd.DataFrame) -> str:
    """Say what was corrected for many comparisons; nothing where there is no such comparison."""
    tested = rows[rows["p"].notna()]
    if tested.empty:
        return ""
    return (
        "p (Holm) is of the test that our mean is no better than the paper's printed number: "
        "a t-test over the seeds, with Holm's correction over the comparisons of this table that "
        f"have n ≥ 2 and seeds that differ (comparisons: {len(tested)}; printed numbers in them: "
        f"{tested['claim'].nunique()}; a number beside several points is compared with each). "
        "*Exceeded* needs p < 0.05 after it; a ratio, share or size at whatever error cannot be."
    )


def provenance_page(records: pd.DataFrame, names: Names) -> Page:
    """Say where the runs come from; timing and provenance stand here and in no other page."""
    columns = ["data", "profile", "device", "processor", "torch", "git_commit", "git_dirty"]
    rows = []
    for key, group in records.groupby(columns):
        cells = {name: str(value) or "–" for name, value in zip(columns, key, strict=True)}
        rows.append(
            {
                "runs": str(len(group)),
                "seeds": _list(group["seed"]),
                "process hours": number(group["seconds"].sum() / 3600),
                **cells,
            }
        )
    outside = unnamed_points(records, names)
    note = f"Points outside every suite: {', '.join(outside)}." if outside else ""
    hours = [
        {"suite": str(suite), "data": str(data), **_hours(runs)}
        for (suite, data), runs in named_runs(records, names).groupby(["suite", "data"])
    ]
    shared = section("What shared baselines save", SHARED, table(hours))
    return page("Where the runs come from", HOURS, table(rows), *filter(None, [note]), shared)


def _hours(runs: pd.DataFrame) -> dict[str, str]:
    """Set the time of a suite beside that of as many runs with a baseline each."""
    each = runs["stage_seconds"].sum() / 3600
    compression = each - runs["baseline_seconds"].sum() / 3600
    baselines = runs.drop_duplicates(["model", "baseline_parameters", "profile", *BASELINE])
    once = baselines["baseline_seconds"].sum() / 3600
    return {
        "runs": str(len(runs)),
        "baselines": str(len(baselines)),
        "baselines, h": number(once),
        "compression, h": number(compression),
        "together, h": number(once + compression),
        "with a baseline for each run, h": number(each),
    }


def _pairs(runs: pd.DataFrame) -> Iterator[tuple[str, str]]:
    yield from sorted({(str(s), str(d)) for s, d in zip(runs["suite"], runs["data"], strict=True)})


def _list(values: pd.Series) -> str:
    return ", ".join(str(value) for value in sorted(set(values)))
