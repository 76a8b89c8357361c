"""Saves that are killed, run out of room or may not write, and what they leave; one a fork.

``python safe_writes.py FOLDER KILLS`` prints a JSON object: for each case an error's text, or what
was found. A process of its own: forks of one with idle threads are not safe.
"""

import itertools
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from clusterpress import StoreError
from clusterpress.artifact import load, save


def network(value: float) -> nn.Linear:
    made = nn.Linear(400, 400)
    nn.init.constant_(made.weight, value)
    return made


def forked(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def said(work: Callable[[], object]) -> str:
    """What a child says: the text of its StoreError."""
    reader, writer = os.pipe()

    def tell() -> None:
        try:
            work()
        except StoreError as error:
            os.write(writer, str(error).encode())

    os.waitpid(forked(tell), 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read().decode()


def killed(folder: Path, kills: int) -> list[float]:
    """Kill children while they save two networks in turns; give the values found."""
    path, rng, seen = folder / "network.safetensors", random.Random(0), set()
    parent = os.getpid()
    save(network(1.0), path)  # The first loads compiled code: ten times a save, as a kill's delay.
    begin = time.perf_counter()
    save(network(1.0), path)
    one_save = time.perf_counter() - begin
    for number in range(kills):
        reader, writer = os.pipe()

        def save_for_ever(first: int = number, pipe: int = writer) -> None:
            both = network(1.0), network(2.0)
            os.write(pipe, b"!")
            for turn in itertools.count(first):
                if os.getppid() != parent:  # It was killed itself, by a timeout say.
                    return
                save(both[turn % 2], path)

        child = forked(save_for_ever)
        os.read(reader, 1)
        time.sleep(rng.uniform(0, 3 * one_save))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
        (value,) = load(path, into=nn.Linear(400, 400)).weight.unique().tolist()
        seen.add(value)
    save(network(value), path)  # Removes what a kill between two names has left.
    return sorted(seen)


def without_room(folder: Path) -> str:
    """Save where the kernel lets no file grow beyond half of what is to be written."""
    path = folder / "network.safetensors"
    save(network(1.0), path)

    def work() -> None:
        most = path.stat().st_size // 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        save(network(2.0), path)

    return said(work)


def read_only() -> str:
    """Save where nobody may; root may everywhere, so the child becomes another user."""

    def work() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)
        save(network(1.0), Path(folder) / "network.safetensors")

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        return said(work)


def main() -> None:
    torch.set_num_threads(1)
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    for name in ("killed", "full"):
        (folder / name).mkdir()
    found = {
        "killed": killed(folder / "killed", kills),
        "full": without_room(folder / "full"),
        "read_only": read_only(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
