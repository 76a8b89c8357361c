"""Write the results folder, and tell whether it is stale."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clusterpress.results.claims import Claim
from clusterpress.results.compare import comparison
from clusterpress.results.figures import figures
from clusterpress.results.files import write_bytes
from clusterpress.results.names import Names
from clusterpress.results.readme import readme_block, with_block
from clusterpress.results.tables import pages
from clusterpress.results.tidy import read_csv, write_csv

CSV = "records.csv"
TABLES = "tables"
FIGURES = "figures"


def write_results(
    records: pd.DataFrame, claims: Sequence[Claim], names: Names, folder: Path
) -> list[Path]:
    """Write ``records.csv``, ``tables/*.md`` and ``figures/*.svg``; give their paths.

    Everything after the CSV is computed from the CSV, so the CSV alone is enough to redo it.

    Raises:
        StoreError: The folder cannot be written.
    """
    write_csv(records, folder / CSV)
    records = read_csv(folder / CSV)
    compared = comparison(records, claims, names)
    written = {
        **{
            folder / TABLES / name: text.encode()
            for name, text in pages(records, compared, names).items()
        },
        **{folder / FIGURES / name: svg for name, svg in figures(records, claims, names).items()},
    }
    for path, content in written.items():
        write_bytes(path, content)
    return [folder / CSV, *sorted(written)]


def stale(
    claims: Sequence[Claim], names: Names, folder: Path, readme: Path | None = None
) -> list[str]:
    """Say which tables, and whether the README's block, differ from what the CSV gives.

    Figures are left out: their bytes also depend on matplotlib's version.

    Returns:
        One sentence a difference; empty where all is up to date.

    Raises:
        DataError: ``folder/records.csv`` is missing or damaged.
        ConfigError: The README lacks the marks.
    """
    records = read_csv(folder / CSV)
    compared = comparison(records, claims, names)
    expected = {
        folder / TABLES / name: text for name, text in pages(records, compared, names).items()
    }
    if readme is not None:
        expected[readme] = with_block(readme.read_text(encoding="utf-8"), readme_block(compared))
    there = set((folder / TABLES).glob("*.md"))
    return [
        *(f"{path} is missing" for path in expected if not path.is_file()),
        *(
            f"{path} differs from what {CSV} gives"
            for path, text in expected.items()
            if path.is_file() and path.read_text(encoding="utf-8") != text
        ),
        *(
            f"{path} is not among the tables that {CSV} gives; remove it"
            for path in sorted(there - set(expected))
        ),
    ]
