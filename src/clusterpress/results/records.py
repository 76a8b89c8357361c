"""Read the store's records into one tidy table."""

import warnings
from pathlib import Path

import pandas as pd

from clusterpress.errors import StoreError
from clusterpress.results.index import RECORD, indexed
from clusterpress.results.tidy import finished


class DamagedRecordWarning(UserWarning):
    """A record could not be read and is left out of the table."""


def read_records(store: Path, *, facts: bool = True) -> pd.DataFrame:
    """Read every ``<store>/runs/*/record.json``; one row a run.

    What was read before comes from an index beside the records (``<store>/index``), which is only
    a cache. A damaged record is named in a ``DamagedRecordWarning`` and left out.

    Args:
        store: The store's folder.
        facts: Whether the facts of the stages (``fact_*``) are wanted; they are most of the
            columns, and only curves and the CSV need them.

    Raises:
        StoreError: There is no such folder.
    """
    if not store.is_dir():
        raise StoreError(
            f"there is no store at {store}; run something first, or set "
            "CLUSTERPRESS_STORE to the folder that holds runs/"
        )
    runs = store / "runs"
    frame, damaged = indexed(store / "index", runs, facts=facts)
    for name, reason in sorted(damaged.items()):
        warnings.warn(
            f"{runs / name / RECORD} is damaged and left out: {reason}",
            DamagedRecordWarning,
            stacklevel=2,
        )
    return finished(frame)
