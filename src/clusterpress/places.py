"""Where the package's own configs and claims lie: in the wheel, or in a checkout."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Give ``conf`` or ``experiments``: inside the installed package, else in the checkout.

    Raises:
        FileNotFoundError: Neither is there: the installation is broken.
    """
    for place in (PACKAGE / name, PACKAGE.parents[1] / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"clusterpress is installed without its folder {name!r}; reinstall it")


def checkout() -> Path | None:
    """Give the root of the git checkout that the package runs from, or None."""
    root = PACKAGE.parents[1]
    return root if (root / ".git").exists() and (root / "pyproject.toml").is_file() else None


def store() -> Path:
    """Give the folder of the store where no override says otherwise, as ``schema.Config`` does."""
    return Path(os.environ.get("CLUSTERPRESS_STORE", "runs"))
