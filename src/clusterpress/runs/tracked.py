"""What of a run its trackers are told: its name at the start, its numbers in the end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clusterpress.runs.plan import Plan
from clusterpress.runs.trackers import TrackedRun
from clusterpress.runs.weights import Weights

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

    Weights that a baseline starts from are named as a run's identity names them, by their content;
    of their path, and of any other absolute one, trackers are told the last part alone.

    Args:
        checked: Its plan.
        logs: The store's folder of logs.
    """
    suite = checked.config["suite"]
    public = {name: each for name, each in checked.config.items() if name not in _PRIVATE}
    if isinstance(checked.weights, Weights):
        public["model"] = {**public["model"], "weights_sha256": checked.weights.sha256}
    return TrackedRun(
        id=checked.id,
        name=f"{suite} seed {checked.seed}" if suite else checked.title,
        group=str(suite).rpartition("/")[0] or str(suite) if suite else None,
        folder=logs,
        config=_without_folders(public),
    )


def _without_folders(node: Any) -> Any:
    """Shorten every absolute path in a config to its last part."""
    if isinstance(node, Mapping):
        return {key: _without_folders(each) for key, each in node.items()}
    if isinstance(node, list | tuple):
        return [_without_folders(each) for each in node]
    if isinstance(node, str) and (node.startswith("~") or Path(node).is_absolute()):
        return Path(node).name
    return node


def tracked_summary(record: Mapping[str, Any]) -> dict[str, float]:
    """Give a record's numbers, the file's size and its ratios among them; unknown ones left out."""
    numbers = {name: record[name] for name in _NUMBERS}
    numbers |= {f"ratio_{name}": value for name, value in record["ratios"].items()}
    return {name: value for name, value in numbers.items() if value is not None}
