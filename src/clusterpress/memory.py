"""How much memory this process has had at once, as the system counts it.

On Linux not by ``getrusage``: its peak begins with that of the process which started this one.
"""

import contextlib
import resource
from pathlib import Path

_PROCESS = Path("/proc/self")


def forget_peak_memory() -> bool:
    """Let the peak begin anew, where the system can (Linux), and say whether it could."""
    with contextlib.suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5")
        return True
    return False


def resident_bytes() -> int | None:
    """Give the resident size now; None where the system does not tell (it does on Linux)."""
    return _status("VmRSS")


def peak_memory_bytes() -> int:
    """Give the largest resident size since ``forget_peak_memory``, or of the process."""
    told = _status("VmHWM")
    if told is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return told


def _status(name: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None
