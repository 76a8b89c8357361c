"""The suite points by the identity that their records carry."""

from clusterpress.runs.compose import compose
from clusterpress.runs.plan import plan
from clusterpress.runs.suites import suite_points


def named_points() -> dict[str, list[tuple[str, str]]]:
    """Give, for every point id, the suite points ``(paper, name)`` that have it.

    Raises:
        ConfigError: A suite point's config is wrong; the point is named.
    """
    names: dict[str, list[tuple[str, str]]] = {}
    for point in suite_points():
        checked = plan(compose(point.overrides))
        names.setdefault(checked.point, []).append((point.paper, point.name))
    return names
