"""Run many points at many seeds; one that fails stops no other."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from joblib import Parallel, delayed

from clusterpress.runs.compose import compose
from clusterpress.runs.pipeline import execute


@dataclass(frozen=True)
class Finished:
    """How one run ended.

    Attributes:
        title: The point's full name and seed.
        overrides: The overrides that repeat it.
        failure: Why it failed; None where it did not.
        done_before: Whether its record was there already.
    """

    title: str
    overrides: tuple[str, ...]
    failure: str | None
    done_before: bool = False


def run_all(
    points: Sequence[tuple[str, tuple[str, ...]]], seeds: Sequence[int], jobs: int = 1
) -> list[Finished]:
    """Run every point at every seed.

    Seeds of one point follow each other, so that neighbours rarely wait for the same stage.

    Args:
        points: Title and overrides of each point.
        seeds: Root seeds.
        jobs: Processes at a time; each has an equal share of the cores.
    """
    tasks = [
        (f"{title} seed {seed}", (*overrides, f"seed={seed}"))
        for title, overrides in points
        for seed in seeds
    ]
    threads = max(1, torch.get_num_threads() // jobs)
    work = (
        delayed(_run_one)(number, len(tasks), title, overrides, threads)
        for number, (title, overrides) in enumerate(tasks, 1)
    )
    return list(Parallel(n_jobs=jobs, backend="sequential" if jobs == 1 else "loky")(work))


def _run_one(
    number: int, of: int, title: str, overrides: tuple[str, ...], threads: int
) -> Finished:
    torch.set_num_threads(threads)
    try:
        outcome = execute(compose(overrides))
    except Exception as error:
        print(f"[{number}/{of}] {title}: FAILED: {error}", flush=True)
        return Finished(title, overrides, f"{type(error).__name__}: {error}")
    values = outcome.record
    before = "done before, " if outcome.done_before else ""
    print(
        f"[{number}/{of}] {title}: {before}error {values['top1_error']:.2f} % (baseline "
        f"{values['baseline_top1_error']:.2f} %), {values['file_bytes']:,} bytes, "
        f"{values['ratios']['file']:.1f}x, {values['stage_seconds']:.0f} s",
        flush=True,
    )
    return Finished(title, overrides, None, outcome.done_before)


def report_failures(ended: Sequence[Finished]) -> int:
    """List the runs that failed, why, and the command that repeats each; give the exit code."""
    failed = [run for run in ended if run.failure]
    for run in failed:
        command = " ".join(["clusterpress run", *(f"'{o}'" for o in run.overrides)])
        print(f"failed: {run.title}: {run.failure}\n  repeat with: {command}")
    return 1 if failed else 0
