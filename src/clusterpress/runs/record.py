"""What a run leaves: one JSON-safe record that is never changed."""

from math import isnan
from typing import Any

from clusterpress.artifact import (
    CONVENTIONS,
    VERSION,
    Ledger,
    han2016_huffman_bytes,
    held_parameters,
)
from clusterpress.memory import peak_memory_bytes
from clusterpress.runs.identity import EVALUATION_VERSION, RECORD_VERSION
from clusterpress.runs.plan import Plan
from clusterpress.runs.provenance import provenance
from clusterpress.training.precision import resolved


def record(
    checked: Plan,
    stages: list[dict[str, Any]],
    ledger: Ledger,
    measured: dict[str, Any],
    data_sha256: str,
) -> dict[str, Any]:
    """Put together what a run measured.

    Args:
        checked: The plan.
        stages: What each stage measured, the baseline first.
        ledger: Of the artifact.
        measured: Accuracies, MACs and times of the decoded network.
        data_sha256: Of the data set's arrays.
    """
    config, baseline = checked.config, stages[0]
    return {
        "format": RECORD_VERSION,
        "artifact_version": VERSION,
        "evaluation_version": EVALUATION_VERSION,
        "id": checked.id,
        "point": checked.point,
        "paper": config["method"]["paper"],
        "method": config["method"]["name"],
        "data": checked.data.name,
        "model": checked.model["name"],
        "seed": checked.seed,
        "baseline_seed": checked.seed_of(0),
        "profile": config["profile"],
        "protocol": checked.protocol,
        "selected": config["selected"],
        "baseline_top1_error": baseline["top1_error"],
        # Stages of older versions did not keep it.
        "baseline_top5_error": baseline.get("top5_error"),
        "baseline_validation_error": baseline["validation_error"],
        **measured,
        **_sizes(ledger, baseline),
        # A run's time is that of all its stages, also of those that another run did for it.
        "stage_seconds": sum(stage["seconds"] for stage in stages),
        "stages": [_measured(stage) for stage in stages],
        "ledger": ledger.to_dict(),
        "peak_memory_bytes": peak_memory_bytes(),
        "config": config,
        "provenance": provenance(
            device=checked.trainer.accelerator,
            precision=resolved(
                checked.trainer.precision or checked.recipe.precision, checked.trainer.accelerator
            ),
            data_sha256=data_sha256,
        )
        | {
            "training_threads": _trained_with("threads", stages),
            "training_precision": _trained_with("precision", stages),
            "stage_code": _stage_code(stages),
        },
    }


_HOW = ("threads", "precision", "code", "code_before")


def _measured(stage: dict[str, Any]) -> dict[str, Any]:
    # How a stage ran is provenance; what it measured is not to differ by it.
    return {key: value for key, value in stage.items() if key not in _HOW}


def _trained_with(way: str, stages: list[dict[str, Any]]) -> dict[str, list[list[int | str]]]:
    """Give, by stage, the threads or the precision of each training; several where it was resumed.

    Stages of older versions did not keep them.
    """
    kept = {stage["name"]: stage.get(way) for stage in stages}
    return {name: [seen for seen in ways if seen] for name, ways in kept.items() if ways}


def _stage_code(stages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give, by stage, the commit that ended it: another run's, where that did it first.

    ``before`` lists those whose trainings it went on with. Stages of older versions kept neither,
    or not that.
    """
    return {stage["name"]: _code(stage) for stage in stages if "code" in stage}


def _code(stage: dict[str, Any]) -> dict[str, Any]:
    before = stage.get("code_before")
    return stage["code"] if before is None else {**stage["code"], "before": before}


def _sizes(ledger: Ledger, baseline: dict[str, Any]) -> dict[str, Any]:
    values = {name: float(convention(ledger)) for name, convention in CONVENTIONS.items()}
    return {
        "baseline_parameters": baseline["parameters"],
        "parameters": held_parameters(ledger),
        "reference_bytes": ledger.reference_bytes,
        "conv_weight_bytes": ledger.conv_weight_bytes,
        "file_bytes": ledger.file_bytes,
        "header_bytes": ledger.header_bytes,
        "bias_bytes": ledger.part_bytes("bias"),
        "weight_stream_bytes": ledger.weight_stream_bytes,
        "han2016_huffman_bytes": han2016_huffman_bytes(ledger),
        # NaN marks a convention that does not apply; JSON knows only null.
        "ratios": {name: None if isnan(value) else value for name, value in values.items()},
    }
