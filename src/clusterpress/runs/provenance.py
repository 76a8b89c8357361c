"""Where a record comes from: code, packages, machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from clusterpress.places import checkout

_PACKAGES = (
    "clusterpress",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "constriction",
    "safetensors",
    "hydra-core",
)
_SOURCES = ("src", "conf", "experiments", "pyproject.toml", "requirements.lock")


def provenance(*, device: str, precision: str, data_sha256: str) -> dict[str, Any]:
    """Describe what made a record; JSON-safe."""
    return {
        **git_state(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device,
        "precision": precision,
        "data_sha256": data_sha256,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def git_state() -> dict[str, Any]:
    """Give the commit and whether sources differ from it, as the process first asked for them.

    ``plan`` asks first: the modules in memory are of about that moment, whatever is committed
    while they run. None outside a checkout.
    """
    root = checkout()
    if root is None:
        return {"git_commit": None, "git_dirty": None}
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *_SOURCES)
    return {"git_commit": commit or None, "git_dirty": None if changes is None else bool(changes)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """Give the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
