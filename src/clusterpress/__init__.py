"""Reproducible experiments for papers that compress neural networks by clustering."""

from clusterpress import operators as operators
from clusterpress.errors import (
    ArtifactError,
    ClusterpressError,
    ConfigError,
    DataError,
    StoreError,
)

__version__ = "0.1.0"

__all__ = [
    "ArtifactError",
    "ClusterpressError",
    "ConfigError",
    "DataError",
    "StoreError",
    "__version__",
]
