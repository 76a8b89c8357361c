"""The names of the suites' points, remembered while nothing that they come from changes.

To compose every point's config takes half a minute, and what reads records wants only the names.
This module imports neither torch nor Hydra unless it has to.
"""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from clusterpress.durable import write_atomic
from clusterpress.errors import StoreError
from clusterpress.places import PACKAGE, folder

Points = dict[str, list[tuple[str, str]]]
KEPT = 8
"""Files of names that are kept, the newest: of other versions and other overrides."""

_PACKAGES = ("hydra-core", "omegaconf", "torchvision")
# What a name then depends on is not among the files below.
_OUTSIDE = ("_target_", "model.weights", "searchpath")


def known_names(extra: Sequence[str] = ()) -> Points:
    """Give what ``named_points`` gives, from the user's cache folder where it is known.

    A file that is missing, damaged or cannot be written costs time and nothing else.

    Args:
        extra: Overrides that all points were run with.

    Raises:
        ConfigError: A suite point's config is wrong.
    """
    if any(word in line for line in extra for word in _OUTSIDE):
        return _composed(extra)
    path = user_cache_path("clusterpress") / "names" / f"{_key(extra)}.json"
    names = _read(path)
    if names is None:
        names = _composed(extra)
        _write(path, names)
    return names


def _composed(extra: Sequence[str]) -> Points:
    from clusterpress.runs.named import named_points

    return named_points(extra)


def _key(extra: Sequence[str]) -> str:
    """Hash all that a name comes from: configs, experiments, this code, what composes them."""
    versions = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    total = hashlib.sha256(json.dumps([versions, list(extra)]).encode())
    for root, pattern in (
        (folder("conf"), "**/*.yaml"),
        (folder("experiments"), "*.yaml"),
        (PACKAGE, "**/*.py"),
    ):
        for path in sorted(root.glob(pattern)):
            total.update(f"\0{path.relative_to(root)}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:32]


def _read(path: Path) -> Points | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(point): [(str(paper), str(name)) for paper, name in places]
            for point, places in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _write(path: Path, names: Points) -> None:
    with contextlib.suppress(OSError, StoreError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(names).encode())
        old = sorted(path.parent.glob("*.json"), key=lambda known: known.stat().st_mtime)
        for known in old[:-KEPT]:
            known.unlink()
