"""Rows without a measurement, and a benchmark that does not wait."""

import pytest

from clusterpress.bench import measure
from clusterpress.bench.rows import Row


@pytest.fixture
def row():
    def make(case="scalars", method="sort", n=10, k=None, **named) -> Row:
        settings = {"d": 1, "seconds": 1.0, "relative_error": 0.0, "peak_bytes": 0, "cores": 2}
        settings |= {"versions": "numpy 2", "repeats": 5} | named
        return Row(case=case, method=method, n=n, k=k, **settings)

    return make


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(measure, "_PAUSE", 0.0)
