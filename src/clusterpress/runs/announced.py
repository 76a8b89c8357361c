"""The sweeps of a store that go on, and where each of their runs is."""

import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, Self

from clusterpress.errors import ConfigError
from clusterpress.runs.board import RunState, post, run_states
from clusterpress.runs.holding import free, held
from clusterpress.runs.process import Process, this_process
from clusterpress.runs.store import Store

RUN_SECONDS = 1.0  # What a run takes beside its trainings, until something is known.
TRUSTED_SECONDS = 30.0  # Work after which what was measured weighs as much as the forecast.


@dataclass(frozen=True)
class Sweep:
    """A sweep that was started.

    Attributes:
        title: What was asked for.
        process: Its driver.
        began: When, in seconds since 1970.
        jobs: Runs at a time.
        runs: Id and title of every run, in order.
        done_before: Ids of those whose record was there.
        work: Seconds that the forecast gives to each missing stage that trains, by its id; None
            where nobody made one.
    """

    title: str
    process: Process
    began: float
    jobs: int
    runs: Sequence[tuple[str, str]]
    done_before: Sequence[str]
    work: Mapping[str, float] | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Give the sweep that was written as these values.

        Raises:
            TypeError: They are the values of something else.
        """
        runs = [(str(run), str(title)) for run, title in values["runs"]]
        return cls(**{**values, "process": Process(**values["process"]), "runs": runs})

    @property
    def name(self) -> str:
        """What its files begin with: the same runs have the same name."""
        return _digest(run for run, _ in self.runs)

    @property
    def file_name(self) -> str:
        """The name of its file: no other process has it, on any machine that uses the store."""
        return f"{self.name}-{_digest(map(str, astuple(self.process)))}.json"


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]


@contextlib.contextmanager
def announced(
    store: Store,
    title: str,
    runs: Sequence[tuple[str, str]],
    *,
    jobs: int = 1,
    work: Mapping[str, float] | None = None,
) -> Iterator[Path]:
    """Announce a sweep to other terminals; one that did not finish all runs stays announced.

    One that a ``ConfigError`` ends does not: nothing of it was started.

    Args:
        store: Its store.
        title: What was asked for.
        runs: Id and title of every run.
        jobs: Runs at a time.
        work: Forecast seconds of every missing stage that trains; None where there is no forecast.
    """
    done = sorted({run for run, _ in runs} & finished(store.root / "runs"))
    told = None if work is None else dict(work)
    sweep = Sweep(title, this_process(), time.time(), jobs, [*runs], done, told)
    path = store.sweeps / sweep.file_name
    _take_down_dead(store, sweep.name)
    post(path, asdict(sweep))
    try:
        with held(path):  # Until it dies: other machines cannot look at its process.
            yield path
    except ConfigError:
        _take_down(path)
        raise
    finally:
        if {run for run, _ in runs} <= finished(store.root / "runs"):
            _take_down(path)


def _take_down_dead(store: Store, name: str) -> None:
    for path, other in sweeps(store):
        if other.name == name and other.process.alive is False:
            with free(path) as unheld:
                if unheld:  # Another machine of the same name may hold it.
                    _take_down(path)


def _take_down(path: Path) -> None:
    with contextlib.suppress(OSError):  # As a board that cannot be written, it stops nothing.
        path.unlink(missing_ok=True)


def sweeps(store: Store) -> list[tuple[Path, Sweep]]:
    """Read what is announced, the oldest first; what is no announcement is left out."""
    found = []
    for path in store.sweeps.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            found.append((path, Sweep.of(json.loads(path.read_text()))))
    return sorted(found, key=lambda each: each[1].began)


def finished(room: Path) -> set[str]:
    """Name what is finished in a room of the store; half-written folders have other names."""
    with contextlib.suppress(OSError):
        return {path.name for path in room.iterdir() if not path.name.startswith(".")}
    return set()


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Attributes:
        sweep: The sweep.
        now: The time that this is said of.
        counts: Runs by ``done``, ``running``, ``failed``, ``killed`` and ``waiting``.
        shown: State and word of every run that is neither done nor waiting.
        left: Seconds until the end, roughly; None where nobody works on it, or where there is no
            forecast and none of its runs is done yet.
    """

    sweep: Sweep
    now: float
    counts: Mapping[str, int]
    shown: Sequence[tuple[str, RunState]]
    left: float | None

    @property
    def seen(self) -> float:
        """When the sweep or one of its runs gave the last sign."""
        return max([self.sweep.began, *(state.seen for _, state in self.shown)])


def progress(store: Store) -> tuple[list[Progress], list[tuple[str, RunState]]]:
    """Say how far every announced sweep is, and every run that belongs to none of them."""
    runs, stages = finished(store.root / "runs"), finished(store.root / "stages")
    states = {s.run: s for s in run_states(store.run_states) if s.run not in runs}
    found = [_progress(sweep, runs, stages, states) for _, sweep in sweeps(store)]
    known = {run for each in found for run, _ in each.sweep.runs}
    single = [(word(state), state) for run, state in states.items() if run not in known]
    return found, single


def word(state: RunState) -> str:
    """Give ``running``, ``failed`` or ``killed``; of another machine's, what it said last."""
    if state.failure is not None:
        return "failed"
    return "killed" if state.process.alive is False else "running"


def _progress(
    sweep: Sweep, runs: set[str], stages: set[str], states: Mapping[str, RunState]
) -> Progress:
    counts, shown = Counter[str](), []
    for run, _ in sweep.runs:
        state = states.get(run)
        if run in runs:
            counts["done"] += 1
        elif state is None or (word(state) != "running" and state.seen < sweep.began):
            counts["waiting"] += 1  # It may have failed in an earlier start.
        else:
            counts[word(state)] += 1
            shown.append((word(state), state))
    now = time.time()
    at_work = sweep.process.alive is not False or counts["running"]
    left = _left(sweep, runs, stages, shown, now) if at_work else None
    return Progress(sweep, now, counts, shown, left)


def _left(
    sweep: Sweep,
    runs: set[str],
    stages: set[str],
    shown: Sequence[tuple[str, RunState]],
    now: float,
) -> float | None:
    """Give the time that is left, by the forecast and by how well it has foretold so far.

    Without a forecast a run says nothing of its length, so only those that were done count.
    """
    own = {run for run, _ in sweep.runs} - set(sweep.done_before)
    if sweep.work is None:
        ended = len(own & runs)
        return (now - sweep.began) / ended * (len(own) - ended) if ended else None
    whole = sum(sweep.work.values()) + RUN_SECONDS * len(own)
    done = sum(seconds for stage, seconds in sweep.work.items() if stage in stages)
    done += RUN_SECONDS * len(own & runs)
    for kind, state in shown:
        if kind == "running" and state.epochs and state.stage < len(state.stage_ids):
            work = sweep.work.get(state.stage_ids[state.stage], 0.0)
            done += work * min(state.epoch / state.epochs, 1.0)
    told = TRUSTED_SECONDS / sweep.jobs
    pace = (now - sweep.began + told) / (done + TRUSTED_SECONDS)
    return max(whole - done, 0.0) * pace
