"""The curves as Markdown tables."""

import pandas as pd

from clusterpress.results.corrections import WORDS, with_p
from clusterpress.results.layout import Page, Section, measuring, page, section, table
from clusterpress.results.statistics import describe, number

BEFORE = (
    "*Before* is after the last stage that does not only train (`–` for weights drawn anew), "
    "*after* is at the end (`–` where the method ends without training)."
)


CHANGES = {
    "change to own baseline, before": "change_before",
    "change to own baseline, after": "change_after",
}


def merging_page(data: str, curve: pd.DataFrame, note: str = "") -> Page:
    """Give the page of the merging curve: share of neurons kept x method, a section a network.

    Args:
        data: The data set.
        curve: What ``curves.merging`` gave.
        note: What is to be said of its runs.
    """
    sections: list[str | Section] = [
        f"Top-1 error on the official test set, %. {BEFORE} Changes are paired by seed, in "
        "points. *Keep* is the share of neurons, of all layers together where each has its own "
        f"(`widths`); what is *selected* was chosen on the validation split. {WORDS}",
        *filter(None, [note]),
    ]
    for model, rows in curve.groupby("model"):
        cells = [
            {
                "keep": f"{row['keep']:.3g}",
                "method": row["method"] + (" (selected)" if row["selected"] else ""),
                "profile": row["profile"],
                "n": str(row["n"]),
                "parameters": f"{row['parameters']:,.0f}",
                "before fine-tuning": describe(row["before"]),
                "after fine-tuning": describe(row["after"]),
                "change to own baseline": describe(row["change"], signed=True),
                "change to `none`": describe(row["to_none"], signed=True),
            }
            for row in rows.to_dict("records")
        ]
        changes = {
            "change to own baseline": list(rows["change"]),
            "change to `none`": list(rows["to_none"]),
        }
        sections.append(section(str(model), _control(rows), table(with_p(cells, changes))))
    return page(f"Merging neurons on {data}", *sections, measure=measuring(data))


def bits_page(data: str, by_bits: pd.DataFrame, note: str = "") -> Page:
    """Give the page of bits x initialisation, a section a network; see ``merging_page``."""
    sections: list[str | Section] = [
        f"Top-1 error on the official test set, %. {BEFORE} The squared error is that of the "
        "clustering over the sum of squares of the weights, mean over the clustered layers "
        f"(x 1000). {WORDS}",
        *filter(None, [note]),
    ]
    for model, rows in by_bits.groupby("model"):
        cells = [
            {
                "bits": f"{row['bits']:g}",
                "init": row["method"],
                "profile": row["profile"],
                "n": str(row["n"]),
                "squared error x 1000": number(1000 * row["squared_error"].mean, 4),
                "before fine-tuning": describe(row["before"]),
                "after fine-tuning": describe(row["after"]),
                **{of: describe(row[column], signed=True) for of, column in CHANGES.items()},
                "ratio `fc_only`": number(row["fc_only"]),
                "ratio `han2016`": number(row["han2016"]),
                "ratio `file`": number(row["file"]),
            }
            for row in rows.to_dict("records")
        ]
        changes = {of: list(rows[column]) for of, column in CHANGES.items()}
        sections.append(section(str(model), table(with_p(cells, changes))))
    return page(f"Bits and initialisation on {data}", *sections, measure=measuring(data))


def _control(rows: pd.DataFrame) -> str:
    names = sorted({f"`{name}`" for name in rows["control"] if name})
    if not names:
        return "No `none`, the baseline trained for the same extra epochs, was run."
    return f"`none` is the baseline trained for the same extra epochs, here {', '.join(names)}."
