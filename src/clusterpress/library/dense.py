"""Give the dense weights of an artifact, for whoever knows nothing of codes."""

import os
from pathlib import Path

from safetensors.torch import save

from clusterpress import artifact
from clusterpress.durable import write_atomic


def decompress(path: str | os.PathLike[str], to: str | os.PathLike[str]) -> int:
    """Write an artifact's dense tensors as a plain safetensors file, a state dict by name.

    No network is needed: the file alone says all. Merged networks keep their new widths; a tensor
    of two names is written under both.

    Args:
        path: The artifact.
        to: The new file; an older one is replaced.

    Returns:
        Its bytes.

    Raises:
        ArtifactError: The artifact is missing, damaged or hostile.
        StoreError: The new file cannot be written.
    """
    content = save({name: value.contiguous() for name, value in artifact.state(path).items()})
    write_atomic(Path(to), content)
    return len(content)
