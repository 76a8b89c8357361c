"""How a run of many ended. Nothing here is slow to import: a launcher's workers need no more."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finished:
    """How one run ended.

    Attributes:
        title: The point's full name and seed.
        overrides: The overrides that repeat it.
        failure: Why it failed; None where it did not.
        done_before: Whether its record was there already.
        said: What it measured, in one line.
        summary: The same in a few lines.
    """

    title: str
    overrides: tuple[str, ...]
    failure: str | None
    done_before: bool = False
    said: str = ""
    summary: str = ""


def report_failures(ended: Sequence[Finished]) -> int:
    """List the runs that failed, why, and the command that repeats each; give the exit code."""
    failed = [run for run in ended if run.failure]
    if failed:
        print(f"{len(failed)} of {len(ended)} runs failed:")
    for run in failed:
        command = shlex.join(["clusterpress", "run", *run.overrides])
        print(f"failed: {run.title}: {run.failure}\n  repeat with: {command}")
    return 1 if failed else 0
