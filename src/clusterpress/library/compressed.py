"""A compressed network, before it is a file and on its way into one."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from clusterpress import artifact
from clusterpress.artifact import Ledger
from clusterpress.artifact.packing import Coder


@dataclass(frozen=True, eq=False)
class Compressed:
    """What ``compress`` gives.

    Attributes:
        network: The network, its weights held by codes; it computes and trains like any other.
        method: The method's name, or the steps' names.
        left_out: What the method did not do, for want of data, layers or weights, a sentence each.
        facts: What each step remembered: errors, widths, shares kept.
        reference: Elements of the uncompressed network's tensors by name.
        architecture: ``{"name": ..., "args": {...}}`` of ``clusterpress.models.MODELS``, or None.
    """

    network: nn.Module
    method: str
    left_out: tuple[str, ...]
    facts: Mapping[str, Mapping[str, Any]]
    reference: Mapping[str, int]
    architecture: Mapping[str, Any] | None = None

    def save(self, path: str | os.PathLike[str], *, coder: Coder = "small") -> Ledger:
        """Write the file, whole or not at all, and give its ledger.

        Args:
            path: Where to.
            coder: ``small`` for the fewest bytes; ``fast`` takes about a third of the time for
                large networks, to write and to read; see ``artifact.save``.

        Raises:
            ConfigError: The network holds what an artifact cannot, or there is no such coder.
            StoreError: The file cannot be written.
        """
        return artifact.save(
            self.network,
            path,
            architecture=self.architecture,
            reference=self.reference,
            coder=coder,
        )

    @cached_property
    def ledger(self) -> Ledger:
        """Every byte that a ``small`` file will have, as the network is at the first look."""
        with tempfile.TemporaryDirectory(prefix="clusterpress-") as folder:
            return self.save(Path(folder) / "network.safetensors")

    def __str__(self) -> str:
        ledger = self.ledger
        sizes = f"{ledger.reference_bytes:,} bytes in float32 -> {ledger.file_bytes:,}"
        ratio = ledger.reference_bytes / ledger.file_bytes
        return "; ".join([f"{self.method}: {sizes} ({ratio:.1f}x)", *self.left_out])
