"""The details of the runs that a page shows, remembered beside the store's records.

Records and artifacts do not change, and to read an artifact takes torch and a tenth of a second.
The file is only a cache: missing, damaged or of another version, it is made again.
"""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clusterpress import __version__
from clusterpress.durable import write_atomic
from clusterpress.errors import StoreError

MOST = 400
"""Points whose details a page holds, so that it stays small."""


def details(store: Path, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the details of the first runs by id; a run whose record cannot be read has none."""
    path = store / "index" / f"details-{_version()}.json"
    known = _read(path)
    stamps = {run: _stamp(store / "runs" / run) for run in ids[:MOST]}
    missing = [run for run, stamp in stamps.items() if known.get(run, [None])[0] != stamp]
    if missing:
        from clusterpress.report.run_details import run_details

        known |= {run: [stamps[run], run_details(store, run)] for run in missing}
        with contextlib.suppress(OSError, StoreError):
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, json.dumps({run: known[run] for run in stamps}).encode())
    return {run: known[run][1] for run in stamps if known[run][1] is not None}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(run): [entry[0], entry[1]] for run, entry in content.items()}
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        return {}


def _stamp(run: Path) -> list[int]:
    """Give what the run's files are; empty where there is no record."""
    found: list[int] = []
    for name in ("record.json", "artifact.safetensors"):
        with contextlib.suppress(OSError):
            status = (run / name).stat()
            found += [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]
    return found


def _version() -> str:
    """Name the code that reads details, without importing it."""
    spec = find_spec("clusterpress.report.run_details")
    source = b"" if spec is None or spec.origin is None else Path(spec.origin).read_bytes()
    return hashlib.sha256(__version__.encode() + source).hexdigest()[:12]
