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
    """Run a sweep, values that make the same run once; a point that fails stops no other.

    Returns:
        The exit code.

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
    runs = {each.id: (each.title, point) for each, point in zip(plans, points, strict=True)}
    named = [(run, title) for run, (title, _) in runs.items()]
    with announced(Store(plans[0].store), " ".join(["run -m", *overrides]), named):
        ended = run_points(list(runs.values()), engine, in_lines)
    return report_failures(ended)
