"""How much memory this process has had at once, as the system counts it, and what it keeps.

The peak is on Linux not that of ``getrusage``, which begins with that of the process which started
this one.
"""

import contextlib
import ctypes
import os
import resource
from collections.abc import Iterator
from pathlib import Path

_PROCESS = Path("/proc/self")
# glibc's malloc.h: the parameters of mallopt, its own limit for blocks from mmap, and the
# thresholds that its own rule, which any call of mallopt ends, reaches where blocks are large.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_MMAP_BLOCKS = 65_536
_NEVER = -1
_LARGE = 32 << 20


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


@contextlib.contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Let the process keep what it frees for a while, where its C library can (glibc).

    It gives large blocks back to the system otherwise and gets them again page by page, which a
    training does at every step. In the end what is free is given back, and glibc's own rule for
    its thresholds stays off. Whoever has set malloc up by the environment keeps that.
    """
    kept = keep_freed_memory()
    try:
        yield
    finally:
        if kept:
            _give_back()


def keep_freed_memory() -> bool:
    """Let the process keep what it frees from now on, and say whether it will."""
    library = ctypes.CDLL(None)
    chosen = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ)
    if chosen or not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
        return False
    library.mallopt(_MMAP_MAX, 0)
    library.mallopt(_TRIM_THRESHOLD, _NEVER)
    return True


def _give_back() -> None:
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_MAX, _MMAP_BLOCKS)
    library.mallopt(_MMAP_THRESHOLD, _LARGE)
    library.mallopt(_TRIM_THRESHOLD, 2 * _LARGE)
    library.malloc_trim(ctypes.c_size_t(0))


def _status(name: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None
