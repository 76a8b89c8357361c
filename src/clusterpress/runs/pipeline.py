"""From a plan to its record: stages, file, the file read back, its score."""

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from clusterpress import artifact
from clusterpress.artifact import Ledger
from clusterpress.codes import dense_copy
from clusterpress.durable import no_room_said
from clusterpress.errors import ArtifactError
from clusterpress.memory import forget_peak_memory
from clusterpress.models.accounting import macs
from clusterpress.models.shared_macs import shared_macs
from clusterpress.runs.board import Board
from clusterpress.runs.plan import Plan, plan
from clusterpress.runs.record import record
from clusterpress.runs.stages import Stages, agreement, digest_of
from clusterpress.runs.store import Store, read_json, write_json
from clusterpress.runs.tracked import tracked_run, tracked_summary
from clusterpress.runs.trackers.guard import Told, telling
from clusterpress.training.evaluation import Evaluation

ARTIFACT, RECORD = "artifact.safetensors", "record.json"


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes:
        record: What was measured.
        done_before: Whether the record was there already and nothing was done.
        artifact: The compressed network's file.
    """

    record: dict[str, Any]
    done_before: bool
    artifact: Path


def execute(config: DictConfig) -> Outcome:
    """Run a point at its seed, or find its record.

    Raises:
        ConfigError: The config is wrong; nothing was trained.
        DataError: Data are missing or damaged, or a network is not finite.
        ArtifactError: A file that was written does not give the network back.
        StoreError: The store is damaged or full.
    """
    return execute_plan(plan(config))


def execute_plan(checked: Plan) -> Outcome:
    """Run a checked plan, or find its record; see ``execute``."""
    store = Store(checked.store)
    place = store.run(checked.id)
    done_before = place.exists()
    if not done_before:
        store.sweep()
        with store.locked(checked.id, f"{checked.title}: waiting for another process's record"):
            done_before = place.exists()
            if not done_before:
                # Logs and temporary files also need room, not only what the store writes.
                tracked = tracked_run(checked, store.root / "logs")
                with (
                    no_room_said(store.root),
                    _on_the_board(checked, store) as board,
                    telling(checked.trackers, tracked) as told,
                ):
                    told.summary = tracked_summary(_run(checked, store, place, told, board))
    return Outcome(read_json(place / RECORD), done_before, place / ARTIFACT)


@contextmanager
def _on_the_board(checked: Plan, store: Store) -> Iterator[Board]:
    """Tell other terminals of the run while it lasts, and why it failed if it does."""
    path, names = store.run_state(checked.id), ["baseline", *checked.steps]
    board = Board(path, checked.id, checked.title, names, checked.stage_ids)
    try:
        yield board
    except Exception as error:
        board.failed(f"{type(error).__name__}: {error}")
        raise
    except BaseException:
        board.clear()  # Somebody stopped it on purpose.
        raise
    board.clear()


def _run(checked: Plan, store: Store, place: Path, told: Told, board: Board) -> dict[str, Any]:
    start = time.perf_counter()
    forget_peak_memory()
    stages = Stages(checked, store, told, board)
    results = [stages.result(number) for number in range(len(stages.names))]
    board.at(len(stages.names))
    baseline, network = stages.network(0), stages.network(len(stages.names) - 1)
    with store.appearing(place) as folder:
        ledger = _write(checked, network, baseline, folder / ARTIFACT)
        decoded = artifact.load(folder / ARTIFACT, into=checked.network())
        score = _checked_score(stages, decoded, results[-1])
        example = torch.zeros(1, *checked.data.shape)
        measured = {
            "top1_error": score.top1_error,
            "top5_error": score.top5_error,
            "test_images": agreement(stages.right(0), stages.hits(score)),
            "validation_error": stages.validation_error(decoded),
            "macs": macs(decoded, example),
            "shared_macs": shared_macs(decoded, example),
            "baseline_macs": macs(baseline, example),
            "latency_ms": latency_ms(decoded, example),
            "seconds": time.perf_counter() - start,
        }
        values = record(checked, results, ledger, measured, stages.images.sha256)
        write_json(folder / RECORD, values)
    return values


def _write(checked: Plan, network: nn.Module, baseline: nn.Module, path: Path) -> Ledger:
    reference = artifact.elements(baseline)
    known = checked.model["known"]
    architecture = {key: checked.model[key] for key in ("name", "args")} if known else None
    return artifact.save(
        network,
        path,
        architecture=architecture,
        reference=reference,
        position_bits=int(checked.config["position_bits"]),
    )


def _checked_score(stages: Stages, decoded: nn.Module, last: Mapping[str, Any]) -> Evaluation:
    """Score the network that the file gives.

    Raises:
        ArtifactError: It does not predict what the last stage's network predicted in memory,
            before it was ever written.
    """
    score = stages.measure(decoded, "test")
    found, expected = digest_of(score.predictions), last["predictions"]
    if found != expected and last.get("scored_on") != stages.machine:
        # Sums round otherwise there, and an image between two classes may change sides.
        expected = _predicted_here(stages)
    if found != expected:
        raise ArtifactError(
            "the network that the artifact gives back does not predict the test images as the "
            "network in memory did; the file is not to be trusted"
        )
    return score


def _predicted_here(stages: Stages) -> str:
    """Score the last stage's network, read from its own file, on this machine."""
    network = stages.network(len(stages.names) - 1)
    return digest_of(stages.measure(network, "test").predictions)


def latency_ms(network: nn.Module, example: torch.Tensor, repeats: int = 31) -> float:
    """Give the median time of a forward pass of one image on the CPU, in milliseconds."""
    dense = dense_copy(network).eval()
    times = []
    with torch.inference_mode():
        for _ in range(repeats):
            start = time.perf_counter()
            dense(example)
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
