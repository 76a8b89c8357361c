"""The suites: the points that reproduce one paper on one data set, from experiments/*.yaml."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clusterpress.errors import ConfigError
from clusterpress.places import folder
from clusterpress.reading import read_yaml
from clusterpress.suggest import nearest


@dataclass(frozen=True)
class SuitePoint:
    """One point of a suite.

    Attributes:
        paper: The suite's paper.
        data: The suite's data set.
        name: The point's name, unique within the suite; claims refer to it.
        overrides: Hydra overrides that give its config, without the seed.
    """

    paper: str
    data: str
    name: str
    overrides: tuple[str, ...]

    @property
    def title(self) -> str:
        """The point's full name."""
        return f"{self.paper}/{self.data}/{self.name}"


def suite_points(where: Path | None = None) -> list[SuitePoint]:
    """Read all suites.

    Args:
        where: Folder of experiment files; None means the package's own.

    Raises:
        ConfigError: A file is not as it should be.
    """
    points: list[SuitePoint] = []
    for path in sorted((where or folder("experiments")).glob("*.yaml")):
        content = read_yaml(path.read_text())
        for data, entries in (content.get("suites") or {}).items():
            points += [_point(path, content["paper"], data, entry) for entry in entries]
    titles = [point.title for point in points]
    double = sorted({title for title in titles if titles.count(title) > 1})
    if double:
        raise ConfigError(f"suite points with the same name: {', '.join(double)}")
    return points


def chosen(points: Iterable[SuitePoint], papers: list[str], data: list[str]) -> list[SuitePoint]:
    """Choose points by paper and data set; an empty list chooses all.

    Raises:
        ConfigError: A name that no suite has.
    """
    points = list(points)
    for names, known, word in (
        (papers, {p.paper for p in points}, "paper"),
        (data, {p.data for p in points}, "data set"),
    ):
        for name in set(names) - known:
            raise ConfigError(f"no suite of the {word} {name!r}; {nearest(name, sorted(known))}")
    return [
        point
        for point in points
        if (not papers or point.paper in papers) and (not data or point.data in data)
    ]


def _point(path: Path, paper: str, data: str, entry: dict[str, Any]) -> SuitePoint:
    if set(entry) != {"name", "overrides"}:
        raise ConfigError(
            f"{path.name}: a point of the suite {data!r} has the keys "
            f"{sorted(entry)}, it needs name and overrides"
        )
    name = str(entry["name"])
    suite = f"suite={paper}/{data}/{name}"
    return SuitePoint(paper, data, name, (f"data={data}", *map(str, entry["overrides"]), suite))


def check_common(overrides: Sequence[str]) -> None:
    """Check overrides that all points of suites are to get.

    Raises:
        ConfigError: One says the seed, which every point gets after them, or takes a key away,
            without which no forecast can be made.
    """
    for line in overrides:
        key = line.lstrip("+").split("=", 1)[0]
        if key == "seed":
            raise ConfigError(f"--set {line} would be without effect; give the seeds by --seeds")
        if key.startswith("~"):
            raise ConfigError(f"--set {line} takes a key away; suites take only key=value")
