"""The stages of a run: each is done once, kept as a file, and found again by its id."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning.loggers import Logger
from torch import nn

from clusterpress import artifact
from clusterpress.data.batches import Batches, fitting_batch
from clusterpress.data.images import ImageSet
from clusterpress.errors import ArtifactError
from clusterpress.runs.board import Board
from clusterpress.runs.plan import Plan
from clusterpress.runs.provenance import git_state, processor
from clusterpress.runs.seeds import derive
from clusterpress.runs.store import Store, read_json, write_json
from clusterpress.runs.trackers import Training
from clusterpress.runs.trackers.guard import Told
from clusterpress.runs.unfinished import forget, trains
from clusterpress.steps import Context
from clusterpress.training.evaluation import Evaluation, evaluate
from clusterpress.training.loop import train
from clusterpress.training.precision import instructions
from clusterpress.training.recipe import Recipe

NETWORK = "network.safetensors"
# One bit a test image: whether the stage's network has it right.
RIGHT = "right.bits"
STEP_BATCH = 500
# A place on the axis of data orders that no training of a stage has: they count from 0.
STEP_PASS = 1_000_000


@lru_cache(maxsize=2)
def _loaded(data: Any, data_dir: Path | None, download: bool) -> ImageSet:
    loaded: ImageSet = data.load(data_dir, download=download)
    return loaded


def digest_of(predictions: torch.Tensor) -> str:
    """Hash the predicted classes, int64 of shape (N,)."""
    return hashlib.sha256(predictions.numpy().tobytes()).hexdigest()


def agreement(baseline: np.ndarray, file: np.ndarray) -> dict[str, int]:
    """Count test images by which of two networks has them right.

    Args:
        baseline: Which ones the baseline has right, bool of shape (N,).
        file: Which ones the network that the file gives has right.
    """
    return {
        "both_right": int((baseline & file).sum()),
        "only_baseline": int((baseline & ~file).sum()),
        "only_file": int((~baseline & file).sum()),
        "both_wrong": int((~baseline & ~file).sum()),
    }


class Stages:
    """Gives the finished stages of one plan, doing those that nobody has done.

    Args:
        plan: The plan.
        store: Where finished stages are kept.
        told: The trackers that get the curves; None for none.
        board: Is told which stage is done; None tells nobody.
    """

    def __init__(
        self, plan: Plan, store: Store, told: Told | None = None, board: Board | None = None
    ) -> None:
        self.plan, self.store, self.told, self.board = plan, store, told, board
        self.names = ["baseline", *plan.steps]
        self._seconds_before = 0.0
        self._threads: list[list[int]] = []
        self._precision: list[list[str]] = []
        self._code_before: list[dict[str, Any]] = []

    @property
    def images(self) -> ImageSet:
        """The data set, loaded on first use and kept for the next run of this process."""
        folder = self.plan.config["data_dir"]
        return _loaded(
            self.plan.data, Path(folder) if folder else None, bool(self.plan.config["download"])
        )

    def result(self, number: int) -> dict[str, Any]:
        """Give what stage ``number`` measured, doing it and those before it where needed.

        Raises:
            StoreError: The stage's notes are damaged, or the disk is full.
            ArtifactError: The checkpoint of the stage before is damaged.
        """
        name, place = self.plan.stage_ids[number], self.store.stage(self.plan.stage_ids[number])
        if not place.exists():
            if number:
                self.result(number - 1)
            self._say(number, waits=True)
            with self.store.locked(name, self._waiting(number)):
                if not place.exists():
                    self._say(number)
                    self._do(number, place)
        # A stage may have been done for another method, which calls the step by another name.
        found = {**read_json(place / "stage.json"), "name": self.names[number]}
        if self.board is not None:
            self.board.measured(found["top1_error"], f"after {found['name']}")
        return found

    def network(self, number: int) -> nn.Module:
        """Read the network of a finished stage from its file.

        Raises:
            ArtifactError: The file is damaged; nothing is overwritten.
        """
        path = self.store.stage(self.plan.stage_ids[number]) / NETWORK
        try:
            return artifact.load(path, into=self.plan.network())
        except ArtifactError as error:
            raise ArtifactError(
                f"the checkpoint of stage {self.names[number]!r} is damaged: "
                f"{error}; remove the folder {path.parent} to have it run again"
            ) from error

    def measure(self, network: nn.Module, split: str) -> Evaluation:
        """Score a network on the ``validation`` or ``test`` split."""
        device = "cuda" if self._on_gpu else "cpu"
        return evaluate(network, getattr(self.images, split), self.images, device=device)

    @property
    def machine(self) -> str:
        """The kind of device that ``measure`` runs on: another one rounds otherwise.

        Processors of several generations go by one name where machines are rented, so that their
        instructions belong to the kind; and sums are split by threads.
        """
        if self._on_gpu:
            return torch.cuda.get_device_name()
        return " ".join([processor(), *instructions(), f"threads={torch.get_num_threads()}"])

    @property
    def _on_gpu(self) -> bool:
        return bool(self.plan.trainer.accelerator == "gpu")

    def hits(self, score: Evaluation) -> np.ndarray:
        """Give which test images a network has right, bool of shape (N,)."""
        right: np.ndarray = (score.predictions == self.images.test.labels).numpy()
        return right

    def right(self, number: int) -> np.ndarray:
        """Give which test images the network of a finished stage has right, bool of shape (N,).

        Stages of older versions did not keep it, and are scored again.

        Raises:
            ArtifactError: Such a stage's checkpoint is damaged.
        """
        path = self.store.stage(self.plan.stage_ids[number]) / RIGHT
        if path.is_file():
            packed = np.frombuffer(path.read_bytes(), np.uint8)
            count = len(self.images.test)
            if len(packed) == -(-count // 8):
                return np.unpackbits(packed, count=count).astype(bool)
        return self.hits(self.measure(self.network(number), "test"))

    def validation_error(self, network: nn.Module) -> float | None:
        """Give the top-1 error on the validation split in percent; None where it is empty."""
        if not len(self.images.validation):
            return None
        return self.measure(network, "validation").top1_error

    def _say(self, number: int, *, waits: bool = False) -> None:
        if self.board is not None:
            self.board.at(number, waits=waits)

    def _waiting(self, number: int) -> str:
        return (
            f"{self.plan.title}: waiting for another process that works on the same "
            f"{self.names[number]!r}"
        )

    def _do(self, number: int, place: Path) -> None:
        start, context = time.perf_counter(), self.context(number)
        network = self._initial(context) if number == 0 else self._moved(number, context)
        seconds = time.perf_counter() - start + self._seconds_before
        test = self.measure(network, "test")
        with self.store.appearing(place) as folder:
            # A checkpoint is dense and large more often than it is shipped.
            ledger = artifact.save(network, folder / NETWORK, coder="fast")
            (folder / RIGHT).write_bytes(np.packbits(self.hits(test)).tobytes())
            write_json(
                folder / "stage.json",
                {
                    "id": place.name,
                    "seconds": seconds,
                    "predictions": digest_of(test.predictions),
                    "scored_on": self.machine,
                    "top1_error": test.top1_error,
                    "top5_error": test.top5_error,
                    "validation_error": self.validation_error(network),
                    "parameters": artifact.held_parameters(ledger),
                    "facts": context.facts,
                    "threads": self._threads,
                    "precision": self._precision,
                    "code": git_state(),
                    "code_before": self._code_before,
                },
            )
        shutil.rmtree(self._unfinished(number), ignore_errors=True)

    def _unfinished(self, number: int) -> Path:
        return self.store.unfinished(self.plan.stage_ids[number])

    def _initial(self, context: Context) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.plan.seed_of(0), "initialisation"))
            network = self.plan.network()
        if self.plan.weights is not None:
            self.plan.weights.load(network, download=bool(self.plan.config["download"]))
            context.facts["weights_sha256"] = self.plan.weights.sha256
        context.train(network, self.plan.recipe)
        return network

    def _moved(self, number: int, context: Context) -> nn.Module:
        step = self.plan.steps[self.names[number]]
        return step.apply(self.network(number - 1), context)

    def context(self, number: int) -> Context:
        """Give what the step of a stage may use; its trainings are kept for going on with."""
        calls = iter(range(1_000_000))
        self._seconds_before = 0.0
        self._threads = []
        self._precision = []
        self._code_before = []

        def run(network: nn.Module, recipe: Recipe) -> None:
            call, folder = next(calls), self._unfinished(number)
            self._code_before = trains(folder, git_state())
            try:
                history = train(
                    network,
                    self.images,
                    recipe,
                    seed=derive(self.plan.seed_of(number), "data", number, call),
                    settings=self.plan.trainer,
                    loggers=self._loggers(number, call),
                    checkpoint=folder / f"{call}.ckpt",
                    watch=None if self.board is None else self.board.trained,
                )
            finally:
                forget(folder)
            self._seconds_before += history.seconds_before
            self._threads.append(list(history.threads))
            self._precision.append(list(history.precision))

        return Context(
            train=run,
            example=torch.zeros(1, *self.plan.data.shape),
            clustering=derive(self.plan.seed_of(number), "clustering", number),
            batches=partial(self._batches, number),
        )

    def _batches(self, number: int) -> Iterator[torch.Tensor]:
        """Give training images for a step's own forward passes, in an order of their own."""
        order = derive(self.plan.seed_of(number), "data", number, STEP_PASS)
        train = self.images.train
        for images, _ in Batches(train, fitting_batch(STEP_BATCH, train.shape), order):
            yield self.images.normalize(images)

    def _loggers(self, number: int, call: int) -> list[Logger]:
        if self.told is None:
            return []
        return self.told.loggers(Training(self.names[number], self.plan.stage_ids[number], call))
