"""A sweep on the command line that is killed at random instants, and what its store then says."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from clusterpress.errors import StoreError
from clusterpress.runs.board import RunState, run_states
from clusterpress.runs.store import Store

KINDS = ("run", "worker", "driver", "group")
_OF_ONE = ("run", "worker")  # The driver goes on, and does what was lost again.
_LONGEST = 1800.0  # Seconds for a sweep that nobody kills; one that takes more hangs.
_TICK = 0.05

Prints = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Hit:
    """One kill.

    Attributes:
        kind: What was killed: the process that does a run, the launcher's worker above it, the
            driver alone, or the whole process group.
        seconds: When, after the command began, or after the kill before where it still went on.
        stages: What the killed processes were at; empty before the first run began.
        lost: Seconds of work on these stages that were lost with them.
        finished: What lay finished in the store.
    """

    kind: str
    seconds: float
    stages: tuple[str, ...]
    lost: float
    finished: Prints


@dataclass
class KilledSweep:
    """One sweep on one store, started as often as it takes.

    Attributes:
        arguments: Of ``clusterpress``.
        store: Its store.
        log: Where it prints.
        starts: How often it was started.
    """

    arguments: Sequence[str]
    store: Path
    log: Path
    starts: int = 0
    _groups: list[int] = field(default_factory=list)
    _driver: subprocess.Popen[bytes] | None = None

    def whole(self) -> tuple[float, float]:
        """Run it to its end; give the seconds until its first run began, and all.

        A start that went on after a kill may have listed runs that were killed twice; then it is
        started once more.

        Raises:
            StoreError: It failed.
        """
        if self._driver is not None and self._going().wait(_LONGEST) == 0:
            return 0.0, 0.0
        child, began = self._started(), time.monotonic()
        while child.poll() is None and not self._states():
            time.sleep(_TICK)
        first = time.monotonic() - began
        if child.wait(_LONGEST) != 0:
            raise StoreError(f"the sweep failed: {self.printed()}")
        return first, time.monotonic() - began

    def killed(
        self, kind: str, after: float, rng: random.Random, *, early: bool = False
    ) -> Hit | None:
        """Kill, and wait for a killed driver; None where the sweep came to its end before.

        Args:
            kind: What is killed.
            after: Seconds after its first run has begun, or goes on.
            rng: Chooses the run.
            early: Count the seconds from the start of the command.
        """
        child, began = self._going(), time.monotonic()
        states = self._due(child, kind, after, began if early else None)
        if states is None:
            return None
        chosen = {"driver": [], "group": states}.get(kind) or []
        if kind in _OF_ONE:
            chosen = [rng.choice(states)]
        at = time.time()
        self._kill(kind, child, chosen)
        hit = Hit(
            kind=kind,
            seconds=time.monotonic() - began,
            stages=tuple(sorted(state.doing for state in chosen)),
            lost=sum(at - state.stage_began for state in chosen if not state.waits),
            finished=fingerprints(self.store),
        )
        if kind not in _OF_ONE:
            child.wait(_LONGEST)
        return hit

    def _due(
        self, child: subprocess.Popen[bytes], kind: str, after: float, since: float | None
    ) -> list[RunState] | None:
        """Wait until it is time to kill, and say what is at work; None where all has ended."""
        while child.poll() is None:
            states, now = self._of(child), time.monotonic()
            since = now if since is None and states else since
            if since is not None and now - since >= after and (states or kind not in _OF_ONE):
                return states
            time.sleep(_TICK)
        return None

    def end(self) -> None:
        """Kill what a killed driver left behind: it would write into a store that goes away."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if self._driver is not None:
            self._driver.wait()

    def printed(self) -> str:
        """Give the last lines that it printed."""
        return self.log.read_text(errors="replace")[-2000:]

    def _going(self) -> subprocess.Popen[bytes]:
        """Give the start that goes on, or a new one."""
        if self._driver is None or self._driver.poll() is not None:
            return self._started()
        return self._driver

    def _started(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        command = [sys.executable, "-m", "clusterpress.cli", *self.arguments]
        environment = os.environ | {"CLUSTERPRESS_STORE": str(self.store), "OMP_NUM_THREADS": "1"}
        with self.log.open("ab") as log:
            self._driver = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._groups.append(self._driver.pid)
        return self._driver

    def _states(self) -> list[RunState]:
        return run_states(Store(self.store).run_states)

    def _of(self, child: subprocess.Popen[bytes]) -> list[RunState]:
        """Give the states of the runs that processes of this start work on."""
        return [state for state in self._states() if _group(state.process.pid) == child.pid]

    def _kill(self, kind: str, child: subprocess.Popen[bytes], chosen: Sequence[RunState]) -> None:
        with suppress(ProcessLookupError, FileNotFoundError):
            if kind == "group":
                os.killpg(child.pid, signal.SIGKILL)
            elif kind == "driver":
                os.kill(child.pid, signal.SIGKILL)
            else:
                run = chosen[0].process.pid
                os.kill(run if kind == "run" else _parent(run), signal.SIGKILL)


def _parent(pid: int) -> int:
    # After the name, which may hold anything, come the state and the parent.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def fingerprints(store: Path) -> Prints:
    """Give inode and time of change of what is finished, and of the curves of its trainings.

    A stage or run that is done again has other files; one that is trained again for nothing has
    other curves.
    """
    notes = [*store.glob("stages/[!.]*/*"), *store.glob("runs/[!.]*/*")]
    for stage in store.glob("stages/[!.]*"):
        notes += store.glob(f"logs/{stage.name}-*/metrics.csv")
    return {str(path.relative_to(store)): _print(path) for path in notes}


def _print(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def redone(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> int:
    """Count the finished stages and runs of which a file is another one, or gone."""
    changed = {path for path, mark in before.items() if after.get(path) != mark}
    return len({path.split("/")[1].split("-")[0] for path in changed})
