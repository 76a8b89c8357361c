from pathlib import Path

import pandas as pd
import pytest

from clusterpress.results import read_records
from tests.results.synthetic import make_record, merging_records, store_of


@pytest.fixture
def records(tmp_path: Path) -> pd.DataFrame:
    mine = [make_record(seed=seed) for seed in range(3)]
    return read_records(store_of(tmp_path / "store", [*mine, *merging_records()]))
