"""Which process works on something, and whether it still lives."""

import contextlib
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process, told from a later one that was given its number.

    Attributes:
        host: The machine's name.
        boot: Which start of which machine, and whose table of processes; empty where unknown.
        pid: Its number.
        started: When it began, in the words of the system; empty where unknown.
    """

    host: str
    boot: str
    pid: int
    started: str

    @property
    def alive(self) -> bool | None:
        """Whether it lives; None where that cannot be told from here (another machine's)."""
        if self.host != socket.gethostname():
            return None
        boot, namespace = self.boot.partition(" ")[::2]
        own, own_namespace = _boot().partition(" ")[::2]
        if boot != own:
            return False  # The machine was started anew.
        if namespace != own_namespace:
            return None
        return bool(self.started) and _started(self.pid) == self.started


def this_process() -> Process:
    """Describe the process that asks."""
    return Process(socket.gethostname(), _boot(), os.getpid(), _started(os.getpid()))


def _boot() -> str:
    """Name the start of the machine and, as containers have their own pids, the namespace."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Say when a process began; empty where there is none, or only its remains."""
    if not (_PROC / "self/stat").exists():
        return _started_by_ps(pid)
    with contextlib.suppress(OSError, IndexError):
        # The command's name, in brackets, may hold spaces and brackets.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""


def _started_by_ps(pid: int) -> str:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(
            asked, capture_output=True, text=True, timeout=5, check=False
        ).stdout.strip()
    return ""
