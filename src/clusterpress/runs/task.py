"""One run of many: it ends with a record or with a reason, and stops no other."""

import torch

from clusterpress.runs.compose import compose
from clusterpress.runs.finished import Finished
from clusterpress.runs.pipeline import Outcome, execute
from clusterpress.runs.sweep import summary


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


def _line(outcome: Outcome) -> str:
    values, before = outcome.record, "done before, " if outcome.done_before else ""
    return (
        f"{before}error {values['top1_error']:.2f} % (baseline "
        f"{values['baseline_top1_error']:.2f} %), {values['file_bytes']:,} bytes, "
        f"{values['ratios']['file']:.1f}x, {values['stage_seconds']:.0f} s"
    )
