"""``python -m clusterpress.sweeps.serve FD PARENT``: do the points that stand on stdin's lines."""

import ctypes
import dataclasses
import json
import os
import signal
import sys
from contextlib import suppress

from clusterpress.runs.task import run_task

_PDEATHSIG = 1  # PR_SET_PDEATHSIG of Linux's prctl.


def end_with(parent: int) -> None:
    """Have this process killed when its parent dies; elsewhere than on Linux, at the next line."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # It died before we could ask.


def main() -> None:
    """Answer every request with how the point ended, until stdin ends."""
    answers, parent = map(int, sys.argv[1:])
    end_with(parent)
    # Ctrl-C goes to all processes of a terminal; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(answers, False)
    for line in sys.stdin:
        request = json.loads(line)
        ended = run_task(request["title"], tuple(request["overrides"]), request["threads"])
        sys.stdout.flush()
        os.write(answers, json.dumps(dataclasses.asdict(ended)).encode() + b"\n")


main()
