"""What of a run its trackers are told: its name at the start, its numbers in the end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clusterpress.runs.plan import Plan
from clusterpress.runs.trackers import TrackedRun

_NUMBERS = (
    "top1_error",
    "top5_error",
    "validation_error",
    "baseline_top1_error",
    "file_bytes",
    "reference_bytes",
    "parameters",
    "baseline_parameters",
    "macs",
    "baseline_macs",
    "latency_ms",
    "stage_seconds",
)
_PRIVATE = ("store", "data_dir", "tracker")
"""Settings that say where things are, or whom to tell: paths of a machine, perhaps keys."""


def tracked_run(checked: Plan, logs: Path) -> TrackedRun:
    """Name a run for its trackers, with its settings but those of ``_PRIVATE``.

    Args:
        checked: Its plan.
        logs: The store's folder of logs.
    """
    suite = checked.config["suite"]
    return TrackedRun(
        id=checked.id,
        name=f"{suite} seed {checked.seed}" if suite else checked.title,
        group=str(suite).rpartition("/")[0] or str(suite) if suite else None,
        folder=logs,
        config={name: each for name, each in checked.config.items() if name not in _PRIVATE},
    )


def tracked_summary(record: Mapping[str, Any]) -> dict[str, float]:
    """Give a record's numbers, the file's size and its ratios among them; unknown ones left out."""
    numbers = {name: record[name] for name in _NUMBERS}
    numbers |= {f"ratio_{name}": value for name, value in record["ratios"].items()}
    return {name: value for name, value in numbers.items() if value is not None}
