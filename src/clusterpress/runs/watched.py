"""A suite that other terminals, and this one, can watch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from clusterpress.runs.announced import announced
from clusterpress.runs.forecast import Forecast
from clusterpress.runs.live import live_status
from clusterpress.runs.store import Store
from clusterpress.runs.sweep import store_folder


@contextmanager
def watched(
    found: Forecast,
    titles: Sequence[str],
    seeds: Sequence[int],
    *,
    title: str,
    extra: Sequence[str],
    jobs: int,
) -> Iterator[None]:
    """Announce the runs of a forecast while the block does them, and show them on a terminal.

    Args:
        found: What ``forecast`` gave for the points.
        titles: Their names in the same order.
        seeds: Root seeds.
        title: What was asked for.
        extra: Overrides of all points, which may name the store.
        jobs: Runs at a time.
    """
    names = [f"{point} seed {seed}" for point in titles for seed in seeds]
    runs = [(run.run, name) for run, name in zip(found.each, names, strict=True)]
    store = Store(store_folder(extra))
    with (
        announced(store, title, runs, jobs=jobs, work=found.work),
        live_status(store),
    ):
        yield
