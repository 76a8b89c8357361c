"""``clusterpress run -m``: all combinations of the values that overrides list."""

from collections.abc import Sequence

from clusterpress.errors import ConfigError
from clusterpress.runs.announced import announced
from clusterpress.runs.compose import compose, sweep_points
from clusterpress.runs.finished import report_failures
from clusterpress.runs.plan import plan
from clusterpress.runs.store import Store
from clusterpress.sweeps.engine import parted
from clusterpress.sweeps.points import check_launcher, run_points
from clusterpress.sweeps.watch import in_lines


def run_product(overrides: Sequence[str]) -> int:
    """Run a sweep; a point that fails stops no other. Give the exit code.

    Raises:
        ConfigError: A point's overrides or the launcher's do not fit, or there are several stores;
            nothing was trained.
    """
    engine, lines = parted(overrides)
    check_launcher(engine)
    points = [tuple(point) for point in sweep_points(lines)]
    plans = [plan(compose(point)) for point in points]
    stores = sorted({str(each.store) for each in plans})
    if len(stores) > 1:
        raise ConfigError(f"a sweep is kept in one store, and this one has {', '.join(stores)}")
    runs = [(each.id, each.title) for each in plans]
    titled = [(each.title, point) for each, point in zip(plans, points, strict=True)]
    with announced(Store(plans[0].store), " ".join(["run -m", *overrides]), runs):
        ended = run_points(titled, engine, in_lines)
    return report_failures(ended)
