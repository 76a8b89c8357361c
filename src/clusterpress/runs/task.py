"""One run of many: it ends with a record or with a reason, and stops no other."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from clusterpress.runs.compose import compose
from clusterpress.runs.pipeline import Outcome, execute
from clusterpress.runs.sweep import summary


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


def run_task(title: str, overrides: tuple[str, ...], threads: int) -> Finished:
    """Run one point at one seed and say how it ended, failed or not.

    Args:
        title: The point's full name and seed.
        overrides: Its config.
        threads: Threads that torch may use.
    """
    torch.set_num_threads(threads)
    try:
        outcome = execute(compose(overrides))
    except Exception as error:
        return Finished(title, overrides, f"{type(error).__name__}: {error}")
    return Finished(title, overrides, None, outcome.done_before, _line(outcome), summary(outcome))


def report_failures(ended: Sequence[Finished]) -> int:
    """List the runs that failed, why, and the command that repeats each; give the exit code."""
    failed = [run for run in ended if run.failure]
    if failed:
        print(f"{len(failed)} of {len(ended)} runs failed:")
    for run in failed:
        command = shlex.join(["clusterpress", "run", *run.overrides])
        print(f"failed: {run.title}: {run.failure}\n  repeat with: {command}")
    return 1 if failed else 0


def _line(outcome: Outcome) -> str:
    values, before = outcome.record, "done before, " if outcome.done_before else ""
    return (
        f"{before}error {values['top1_error']:.2f} % (baseline "
        f"{values['baseline_top1_error']:.2f} %), {values['file_bytes']:,} bytes, "
        f"{values['ratios']['file']:.1f}x, {values['stage_seconds']:.0f} s"
    )
