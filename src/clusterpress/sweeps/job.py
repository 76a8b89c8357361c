"""What a launcher's worker does for each point: has a child do it, and notes how it ended."""

import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from clusterpress.durable import write_atomic
from clusterpress.errors import StoreError
from clusterpress.runs.finished import Finished
from clusterpress.runs.holding import IN_USE, held
from clusterpress.sweeps.child import ChildDiedError, ask_child, with_threads

TRIES = 2  # One that was killed may have been unlucky; twice is its own doing.


@dataclass(frozen=True)
class Task:
    """One run of a sweep.

    Attributes:
        number: Its place among the runs, from 1.
        title: The point's full name and seed.
        overrides: Its config.
    """

    number: int
    title: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Notes:
    """What the workers of a sweep tell its driver, in a folder that both see.

    The values that a launcher returns would not do: it returns none of them when one of its
    workers dies.

    Attributes:
        folder: Where the notes are.
    """

    folder: Path

    def make(self) -> None:
        """Make the folder.

        Raises:
            StoreError: It cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / IN_USE).touch()
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be made: {error.strerror}") from error

    def used(self) -> AbstractContextManager[None]:
        """Keep the folder while the block lasts from who removes what is abandoned."""
        return held(self.folder / IN_USE)

    def begun(self, task: Task) -> Path:
        """Give the file that is there from when a run began."""
        return self.folder / f"{task.number}.begun"

    def ended(self, task: Task) -> Finished | None:
        """Give how a run ended, or None where nobody noted it."""
        try:
            values = json.loads(self._path(task).read_text())
        except FileNotFoundError:
            return None
        return Finished(**{**values, "overrides": tuple(values["overrides"])})

    def note(self, task: Task, ended: Finished) -> None:
        """Note how a run ended.

        Raises:
            StoreError: The folder cannot be written.
        """
        write_atomic(self._path(task), json.dumps(dataclasses.asdict(ended)).encode())

    def _path(self, task: Task) -> Path:
        return self.folder / f"{task.number}.json"


@dataclass(frozen=True)
class Job:
    """The function that a launcher calls for each point, pickled to wherever that is.

    Attributes:
        notes: Where it is noted how the points ended.
        tasks: The runs, in the order in which the launcher numbers them.
        threads: Threads of each.
        folder: The driver's working folder; relative paths of configs mean it.
        environment: Variables of the driver that a worker of a cluster may not have.
    """

    notes: Notes
    tasks: Sequence[Task]
    threads: int
    folder: Path
    environment: tuple[tuple[str, str], ...]

    def __call__(self, config: DictConfig) -> Finished:
        """Do the point whose number Hydra's config says."""
        del config  # The child composes it again: overrides say all of it.
        task = self.tasks[HydraConfig.get().job.num]
        with self.notes.used():
            return self._noted(task)

    def _noted(self, task: Task) -> Finished:
        before = self.notes.ended(task)
        if before is not None:
            return before
        self.notes.begun(task).touch()
        ended = self._done(task)
        self.notes.note(task, ended)
        return ended

    def _done(self, task: Task) -> Finished:
        environment = with_threads({**os.environ, **dict(self.environment)}, self.threads)
        folder = self.folder if self.folder.is_dir() else Path.cwd()
        request = {"title": task.title, "overrides": task.overrides, "threads": self.threads}
        reason = ""
        for _ in range(TRIES):
            try:
                values = ask_child(request, environment, folder)
            except ChildDiedError as error:
                reason = str(error)
            else:
                return Finished(**{**values, "overrides": tuple(values["overrides"])})
        return Finished(task.title, task.overrides, f"Killed: {reason} ({TRIES} times)")


def driver_environment() -> tuple[tuple[str, str], ...]:
    """Give the variables of this process that a child needs wherever it runs.

    Modules that this process found outside its installation are found there too.
    """
    installed = (sys.prefix, sys.base_prefix)
    paths = [str(Path(path).absolute()) for path in sys.path]
    own = [path for path in paths if not path.startswith(installed)]
    found = {name: value for name, value in os.environ.items() if name.startswith("CLUSTERPRESS_")}
    return tuple({**found, "PYTHONPATH": os.pathsep.join(own)}.items())
