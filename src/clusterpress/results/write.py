"""Write the results folder, and tell whether it is stale."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError, DataError, StoreError
from clusterpress.results.claims import Claim
from clusterpress.results.compare import comparison
from clusterpress.results.figures import figure_names, figures
from clusterpress.results.names import Names
from clusterpress.results.readme import read_readme, readme_block, with_block
from clusterpress.results.tables import table_files
from clusterpress.results.tidy import read_csv, runs_of, write_csv

CSV = "records.csv"
TABLES = "tables"
FIGURES = "figures"


def write_results(
    records: pd.DataFrame,
    claims: Sequence[Claim],
    names: Names,
    folder: Path,
    *,
    replace: bool = False,
    formats: Sequence[str] = ("svg",),
) -> list[Path]:
    """Write ``records.csv``, ``tables/*.{md,tex,csv}`` and ``figures/*.svg``; give their paths.

    Everything after the CSV is computed from the CSV, and from the suites and claims of the
    installed version. Pages and figures that are no longer produced are removed.

    Args:
        records: The tidy table.
        claims: All claims.
        names: Point id -> ``(suite's paper, name in that suite)`` pairs.
        folder: Where the results go.
        formats: Of the figures, such as ``("svg", "pdf")``; git keeps the SVGs alone.
        replace: Write although ``records.csv`` in the folder has runs that ``records`` lacks.

    Raises:
        ConfigError: Runs would be lost, and ``replace`` is not given; nothing is written.
        StoreError: The folder cannot be written.
    """
    if not replace:
        _refuse_loss(records, folder / CSV)
    _make(folder, folder / TABLES, folder / FIGURES)
    write_csv(records, folder / CSV)
    records = read_csv(folder / CSV)
    compared = comparison(records, claims, names)
    written = {
        **{
            folder / TABLES / name: text.encode()
            for name, text in table_files(records, compared, names).items()
        },
        **{
            folder / FIGURES / name: content
            for name, content in figures(records, claims, names, formats).items()
        },
    }
    for path, content in written.items():
        write_atomic(path, content)
    _remove(_present(folder) - set(written))
    return [folder / CSV, *sorted(written)]


def stale(
    claims: Sequence[Claim], names: Names, folder: Path, readme: Path | None = None
) -> list[str]:
    """Say which tables, and whether the README's block, differ from what the CSV gives.

    Figures are only there or not: their bytes also depend on matplotlib's version.

    Returns:
        One sentence a difference; empty where all is up to date.

    Raises:
        DataError: ``folder/records.csv`` is missing or damaged.
        ConfigError: The README is missing or lacks the marks.
    """
    records = read_csv(folder / CSV)
    compared = comparison(records, claims, names)
    expected = {
        folder / TABLES / name: text for name, text in table_files(records, compared, names).items()
    }
    if readme is not None:
        expected[readme] = with_block(read_readme(readme), readme_block(compared))
    drawn = {folder / FIGURES / name for name in figure_names(records, names)}
    wanted = [*expected, *sorted(drawn)]
    return [
        *(f"{path} is missing" for path in wanted if not path.is_file()),
        *(
            f"{path} differs from what {CSV} gives"
            for path, text in expected.items()
            if path.is_file() and path.read_text(encoding="utf-8") != text
        ),
        *(
            f"{path} is not among the tables and figures that {CSV} gives; remove it"
            for path in sorted(_present(folder) - set(wanted))
        ),
    ]


def _refuse_loss(records: pd.DataFrame, path: Path) -> None:
    if not path.is_file():
        return
    advice = "pass replace=True (`--replace`) to write it all the same, or another folder"
    keep = "keep them (`--add`, `together`), or "
    try:
        known = set(zip(records["point"], records["seed"].astype(str), strict=True))
        # A run whose point and seed are there is not lost: it was written or evaluated anew.
        lost = sorted(id_ for id_, place in runs_of(path).items() if place not in known)
    except DataError as error:
        raise ConfigError(f"{error}; so it is not overwritten: {advice}") from error
    if lost:
        raise ConfigError(
            f"{path} holds {len(lost)} runs that the new records lack, such as {lost[0]}; "
            f"{keep}{advice}"
        )


def _make(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be written: {error}") from error


def _present(folder: Path) -> set[Path]:
    endings = {TABLES: ("md", "tex", "csv"), FIGURES: ("svg",)}
    return {
        path
        for room, kinds in endings.items()
        for kind in kinds
        for path in (folder / room).glob(f"*.{kind}")
    }


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise StoreError(f"{path} is left over and cannot be removed: {error}") from error
