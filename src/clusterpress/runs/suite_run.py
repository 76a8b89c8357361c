"""Run many points at many seeds; one that fails stops no other."""

from collections.abc import Sequence

import torch
from joblib import Parallel, delayed

from clusterpress.runs.task import Finished, run_task


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
        delayed(run_task)(number, len(tasks), title, overrides, threads)
        for number, (title, overrides) in enumerate(tasks, 1)
    )
    return list(Parallel(n_jobs=jobs, backend="sequential" if jobs == 1 else "loky")(work))
