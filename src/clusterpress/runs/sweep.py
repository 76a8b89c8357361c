"""One point from the command line's overrides, and where it is kept."""

from collections.abc import Sequence
from pathlib import Path

from clusterpress.runs.compose import compose, resolved
from clusterpress.runs.pipeline import Outcome, execute


def store_folder(overrides: Sequence[str] = ()) -> Path:
    """Give the folder of the store that a run with these overrides uses."""
    return Path(resolved(compose(overrides))["store"])


def run_point(overrides: list[str]) -> int:
    """Run one point and print what it measured; give the exit code.

    Raises:
        ClusterpressError: It failed.
    """
    print(summary(execute(compose(overrides))))
    return 0


def summary(outcome: Outcome) -> str:
    """Say in a few lines what a run measured."""
    record = outcome.record
    errors = ", ".join(f"{stage['name']} {stage['top1_error']:.2f} %" for stage in record["stages"])
    ratios = ", ".join(
        f"{name} {value:.2f}x" for name, value in record["ratios"].items() if value is not None
    )
    head = "done before" if outcome.done_before else "done"
    return (
        f"{head}: {record['data']} {record['model']} {record['method']} seed "
        f"{record['seed']} (run {record['id']})\n"
        f"  test error: {errors}; from the file {record['top1_error']:.2f} %\n"
        f"  compression ratio: {ratios}\n"
        f"  {outcome.artifact}: {record['file_bytes']:,} bytes"
    )
