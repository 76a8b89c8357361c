"""The block of results in the README, generated and never typed."""

from pathlib import Path

import pandas as pd

from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError
from clusterpress.results.cells import Cells, measured_cells
from clusterpress.results.layout import COMMAND
from clusterpress.results.markdown import markdown_table

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"
COLUMNS = (
    "paper",
    "point",
    "profile",
    "claim",
    "paper's number",
    "ours",
    "Δ own baseline (points)",
    "ratio, file",
    "verdict",
)


def readme_block(compared: pd.DataFrame) -> str:
    """Give the block: the papers' numbers measured on their own data set, and how many were not.

    Claims whose number is our own reading or arithmetic stand in the full table alone.
    """
    own = compared[(compared["n"] > 0) & (compared["data"] == compared["claim_data"])]
    shown = own[own["has_number"].astype(bool)]
    parts = [
        f"**{data}**\n\n{markdown_table(_short(rows))}" for data, rows in shown.groupby("data")
    ]
    others = len(set(compared["claim"]) - set(own["claim"]))
    footer = (
        "A share removed or a ratio without a condition on the error follows from the widths or "
        "bits that were set: what it cost is the Δ beside it. "
        f"{others} more claims wait for networks or data that are not run yet. All columns, and "
        f"what is our own reading: "
        f"[results/tables/comparison.md](results/tables/comparison.md). Recompute: `{COMMAND}`."
    )
    return "\n\n".join([*(parts or [markdown_table([])]), footer])


def with_block(text: str, block: str) -> str:
    """Give the text with what stands between the two marks replaced by the block.

    Raises:
        ConfigError: The marks are not there exactly once, in order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ConfigError(f"the README must hold {BEGIN} and, after it, {END}, each once")
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{block}\n{END}{rest.split(END)[1]}"


def read_readme(path: Path) -> str:
    """Read the README.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the README {path} cannot be read: {error}") from error


def update_readme(readme: Path, compared: pd.DataFrame) -> bool:
    """Bring the README's block up to date; say whether the file changed.

    Raises:
        ConfigError: The file or its marks are missing.
    """
    old = read_readme(readme)
    new = with_block(old, readme_block(compared))
    if new != old:
        write_atomic(readme, new.encode())
    return new != old


def _short(rows: pd.DataFrame) -> list[Cells]:
    return [{name: cells[name] for name in COLUMNS} for cells in measured_cells(rows)]
