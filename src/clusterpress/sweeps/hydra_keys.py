"""Which of Hydra's own settings have an effect, and where; the others are refused."""

from collections.abc import Iterable

from clusterpress.errors import ConfigError
from clusterpress.sweeps.engine import parted

_FILES = "records and files go to the store: give store=FOLDER"
_FOLDER = "a point runs in the folder of the command, wherever its launcher starts it"
_NOWHERE = {
    "hydra.run": _FILES,
    "hydra.sweep": _FILES,
    "hydra.output_subdir": _FILES,
    "hydra.job.chdir": _FOLDER,
    "hydra.mode": "-m says whether there is a sweep",
}
"""What nobody reads, and what says the same."""


def check_hydra(overrides: Iterable[str], *, sweep: bool) -> None:
    """Check that no override of Hydra's own settings would be without effect.

    ``hydra.searchpath`` always has one: it finds a point's configs.

    Args:
        overrides: Any overrides.
        sweep: Whether a launcher runs what they say.

    Raises:
        ConfigError: One has none, in a sentence for each.
    """
    of_engine, _ = parted(overrides)
    found = [f"{line} is without effect: {why}" for line in of_engine if (why := _instead(line))]
    others = [line for line in of_engine if not _instead(line)]
    if others and not sweep:
        found.append(f"for sweeps only, which `clusterpress run -m` runs: {', '.join(others)}")
    if found:
        raise ConfigError("; ".join(found))


def _instead(override: str) -> str | None:
    key = override.lstrip("+~").split("=", 1)[0]
    return next((why for own, why in _NOWHERE.items() if f"{key}.".startswith(f"{own}.")), None)
