"""Reproducible experiments for papers that compress neural networks by clustering."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clusterpress.errors import (
    ArtifactError,
    ClusterpressError,
    ConfigError,
    DataError,
    StoreError,
)
from clusterpress.operators import declare_in_time

if TYPE_CHECKING:
    from clusterpress.artifact import Inspection
    from clusterpress.artifact import load as load
    from clusterpress.artifact import read as inspect
    from clusterpress.library import Compressed, compress

__version__ = "0.1.0"

declare_in_time()

# What is loaded when it is first asked for: Lightning, Hydra and torchvision take seconds.
_LAZY = {
    "Compressed": ("clusterpress.library", "Compressed"),
    "Inspection": ("clusterpress.artifact", "Inspection"),
    "compress": ("clusterpress.library", "compress"),
    "inspect": ("clusterpress.artifact", "read"),
    "load": ("clusterpress.artifact", "load"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'clusterpress' has no attribute {name!r}")
    module, own = _LAZY[name]
    return getattr(import_module(module), own)


__all__ = [
    "ArtifactError",
    "ClusterpressError",
    "Compressed",
    "ConfigError",
    "DataError",
    "Inspection",
    "StoreError",
    "__version__",
    "compress",
    "inspect",
    "load",
]
