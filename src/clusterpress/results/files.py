"""Write a file whole or not at all."""

import os
import tempfile
from pathlib import Path

from clusterpress.errors import StoreError


def write_bytes(path: Path, content: bytes) -> None:
    """Write to a temporary name in the same folder, sync, then rename.

    Raises:
        StoreError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
