"""``clusterpress run -m``: all combinations of the values that overrides list."""

from collections.abc import Sequence

from clusterpress.runs.compose import compose, sweep_points
from clusterpress.runs.plan import plan
from clusterpress.runs.task import report_failures
from clusterpress.sweeps.engine import parted
from clusterpress.sweeps.points import run_points
from clusterpress.sweeps.watch import in_lines


def run_product(overrides: Sequence[str]) -> int:
    """Run a sweep; a point that fails stops no other. Give the exit code.

    Raises:
        ConfigError: A point's overrides or the launcher's do not fit; nothing was trained.
    """
    engine, lines = parted(overrides)
    points = [tuple(point) for point in sweep_points(lines)]
    titled = [(plan(compose(point)).title, point) for point in points]
    return report_failures(run_points(titled, engine, in_lines))
