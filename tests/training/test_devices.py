"""Trainings shared by two processes; each starts fresh, which takes some seconds."""

import copy
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from clusterpress.data.images import ImageSet
from clusterpress.training import convolutions
from clusterpress.training.devices import SeededProcesses
from clusterpress.training.loop import History, train
from clusterpress.training.module import Classifier
from clusterpress.training.recipe import Recipe
from clusterpress.training.settings import TrainerSettings

# 170 images: five steps of 32 and one of 10 an epoch.
RECIPE = Recipe(epochs=2, batch_size=32, lr=0.05, momentum=0.9, weight_decay=0.001)
TWO = TrainerSettings(devices=2, strategy="ddp", threads=1)


def trained(
    network: nn.Module, images: ImageSet, recipe: Recipe, **more: Any
) -> tuple[torch.Tensor, History]:
    copied = copy.deepcopy(network)
    history = train(copied, images, recipe, seed=0, **more)
    return nn.utils.parameters_to_vector(copied.parameters()).detach(), history


def test_two_processes_train_the_network_of_one_and_leave_no_file(
    images: ImageSet, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradients are means over the halves of each batch, so only float rounding differs."""
    alone, history = trained(network, images, RECIPE)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shared, told = trained(network, images, RECIPE, settings=TWO)
    assert not list(tmp_path.iterdir())
    start = nn.utils.parameters_to_vector(network.parameters()).detach()
    assert float((shared - alone).norm()) < 1e-5 * float((alone - start).norm())
    for one, other in zip(history.epochs, told.epochs, strict=True):
        assert abs(one.train_loss - other.train_loss) < 1e-5
        assert one.validation_error == other.validation_error
    assert (told.kept, told.done_before) == (1, 0)


def test_processes_draw_dropout_of_their_own_by_the_seed(
    network: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: what each process would draw, without starting any."""
    from types import SimpleNamespace

    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    drawn = []
    for seed, rank in ((0, 0), (0, 1), (1, 0)):
        with torch.random.fork_rng(devices=[]):
            place: Any = SimpleNamespace(world_size=2, global_rank=rank, default_root_dir=".")
            SeededProcesses(seed).setup(place, Classifier(network, RECIPE), "fit")
            drawn.append(torch.rand(4))
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    before = torch.get_rng_state()
    alone: Any = SimpleNamespace(world_size=1, global_rank=0)
    SeededProcesses(0).setup(alone, Classifier(network, RECIPE), "fit")
    assert torch.equal(before, torch.get_rng_state())


LEAVING = """
import atexit, concurrent.futures, os, sys, threading, time
from clusterpress.training.devices import FreshProcesses, _MultiProcessingLauncher

class Last:
    def __del__(self, write=os.write):
        write(1, b"taken down")

sys.last = Last()
atexit.register(print, "others", end=" ")

def late(word):
    time.sleep(0.2)
    print(word, end=" ")

_MultiProcessingLauncher._wrapping_function = lambda self, work: work()
strategy = FreshProcesses()
strategy._configure_launcher()
"""


@pytest.mark.parametrize(
    ("work", "status", "said"),
    [
        ("lambda: None", 0, "others "),
        ("lambda: threading.Thread(target=late, args=['a thread']).start()", 0, "a thread others "),
        (
            "lambda: concurrent.futures.ThreadPoolExecutor(1).submit(late, 'a pool')",
            0,
            "a pool others ",
        ),
        ("lambda: atexit.register(lambda: 1 / 0)", 0, "others "),
        ("sys.stdout.close", 0, ""),
        ("lambda: setattr(sys, 'stdout', None)", 0, ""),
        ("lambda: sys.exit(3)", 3, "others taken down"),
    ],
)
def test_a_process_leaves_before_python_is_taken_down_unless_it_failed(
    work: str, status: int, said: str
) -> None:
    """What it printed and what others do at the exit is not lost, nor is a failure's status."""
    code = f"{LEAVING}strategy._launcher._wrapping_function({work})"
    call = [sys.executable, "-c", code]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(call, capture_output=True, text=True, check=False, env=buffered)
    assert (ended.returncode, ended.stdout) == (status, said), ended.stderr


class Counting(nn.Module):
    """Counts the outputs that are products; a buffer comes back from the processes."""

    count: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.count += type(values.grad_fn).__name__ == "ProductBackward"
        return values


def test_processes_train_with_products(images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers are changed here and travel there: no process needs tiles for it."""
    monkeypatch.setattr(convolutions, "instructions", lambda: ("amx_bf16",))
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 128, 3, padding=1),
        nn.AdaptiveAvgPool2d(2),
        nn.Conv2d(128, 128, 3, padding=1),
        Counting(),
        nn.Flatten(),
        nn.Linear(512, 4),
    )
    recipe = replace(RECIPE, epochs=1, precision="bf16")
    train(network, images, recipe, seed=0, settings=TWO)
    assert network[3].count == 6
    assert all("_conv_forward" not in vars(layer) for layer in network)
