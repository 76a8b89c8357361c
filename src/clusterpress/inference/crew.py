"""Compiled work on the threads that torch computes with.

torch's threads are those of GNU OpenMP, which keeps them: calling them takes microseconds, where
starting threads takes as long as a small layer. Other threads would fight with them for the cores,
since OpenMP's wait busily for more work. How many there are, ``torch.set_num_threads`` says.
"""

import ctypes
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from clusterpress.clustering.threads import on_threads

Piece = Callable[[int, int, int, int], None]


@lru_cache(maxsize=1)
def openmp() -> Any | None:
    """Give torch's own GNU OpenMP library, or None where torch has another."""
    folder = Path(torch.__file__).parent / "lib"
    for path in sorted(folder.glob("libgomp*.so*")):
        library = ctypes.CDLL(str(path))
        if hasattr(library, "GOMP_parallel"):
            for name in ("omp_get_thread_num", "omp_get_num_threads"):
                getattr(library, name).argtypes = []
                getattr(library, name).restype = ctypes.c_int
            library.GOMP_parallel.argtypes = [
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_uint,
                ctypes.c_uint,
            ]
            library.GOMP_parallel.restype = None
            library.GOMP_barrier.argtypes = []
            library.GOMP_barrier.restype = None
            return library
    return None


def run(entry: int | None, piece: Piece, task: int, stages: int = 1) -> None:
    """Do a task in as many pieces as torch has threads.

    Args:
        entry: Address of the compiled C function for OpenMP, which does all stages; None where it
            is not there.
        piece: One stage of one piece: the task, the piece's number, how many there are, the stage.
        task: Address of the task.
        stages: No piece begins a stage before all have ended the one before.
    """
    threads, library = torch.get_num_threads(), openmp()
    if entry is not None and library is not None and threads > 1:
        library.GOMP_parallel(entry, task, threads, 0)
        return
    for stage in range(stages):
        _on_own_threads(piece, (task, threads, stage))


def _on_own_threads(piece: Piece, work: tuple[int, int, int]) -> None:
    task, threads, stage = work
    if threads == 1:
        piece(task, 0, 1, stage)
    else:
        on_threads(lambda number: piece(task, number, threads, stage), threads)
