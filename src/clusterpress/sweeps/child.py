"""A process that does the points which a worker of a launcher is given, one after the other.

A launcher's own workers do nothing but wait for it. So a point that is killed, by the system when
memory runs out or by anybody, takes neither the worker nor another point with it, whatever the
launcher; and numba, BLAS and OpenMP read the number of their threads before they start.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOOK = 0.5  # Seconds between two looks whether the process lives.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class ChildDiedError(Exception):
    """The process ended before it answered; the text says how."""


class Child:
    """A process that answers requests.

    Args:
        environment: All of its environment.
        folder: Its working folder.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.made_with = (dict(environment), folder)
        self._answers, write = os.pipe()
        command = [sys.executable, "-P", "-m", "clusterpress.sweeps.serve", str(write)]
        try:
            self._process = subprocess.Popen(
                [*command, str(os.getpid())],
                stdin=subprocess.PIPE,
                pass_fds=(write,),
                env=dict(environment),
                cwd=folder,
            )
        except BaseException:
            os.close(self._answers)
            raise
        finally:
            os.close(write)
        assert self._process.stdin is not None
        self._requests = self._process.stdin

    def ask(self, request: Mapping[str, Any]) -> Any:
        """Have the process do something and give its answer.

        Raises:
            ChildDiedError: It died; so it did not answer.
        """
        try:
            with contextlib.suppress(BrokenPipeError):  # Its death is told below.
                self._requests.write(json.dumps(request).encode() + b"\n")
                self._requests.flush()
            return json.loads(self._line())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._requests.close()
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1

    def _line(self) -> bytes:
        # The pipe's end does not say that the process ended: its own children may hold it open.
        line = b""
        while not line.endswith(b"\n"):
            dead = self._process.poll() is not None
            ready = select.select([self._answers], [], [], 0 if dead else _LOOK)[0]
            piece = os.read(self._answers, 65536) if ready else b""
            line += piece
            if not piece and (dead or ready):
                raise ChildDiedError(how_ended(self._process.wait()))
        return line


_kept: list[Child] = []  # One a worker, which lives as long as the worker.


def ask_child(request: Mapping[str, Any], environment: Mapping[str, str], folder: Path) -> Any:
    """Have this process's child do something; one is started where there is none such.

    Raises:
        ChildDiedError: It died of it. The next request has a new one.
    """
    wanted = (dict(environment), folder)
    if _kept and _kept[0].made_with != wanted:
        stop_child()
    if not _kept:
        _kept.append(Child(*wanted))
    try:
        return _kept[0].ask(request)
    except BaseException:
        _kept.clear()
        raise


def stop_child() -> None:
    """End this process's child, if it has one."""
    while _kept:
        _kept.pop().stop()


def with_threads(environment: Mapping[str, str], threads: int) -> dict[str, str]:
    """Give an environment in which every library computes with so many threads."""
    return {**environment, **dict.fromkeys(_THREADS, str(threads))}


def how_ended(code: int) -> str:
    """Say in words how a process ended.

    Args:
        code: Its exit code; the negative number of the signal that killed it.
    """
    if code == -signal.SIGKILL:
        return (
            "its process was killed (SIGKILL), as the system does when memory runs out, or "
            "somebody by hand"
        )
    if code < 0:
        names = {each.value: each.name for each in signal.Signals}  # Most real-time ones have none.
        return f"its process was ended by {names.get(-code, f'signal {-code}')}"
    return f"its process ended by itself with exit code {code}"
