"""Pieces of work on threads; compiled kernels release the interpreter lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from numba.core import config

Result = TypeVar("Result")


def on_threads(work: Callable[[int], Result], pieces: int) -> list[Result]:
    """Give ``work(0)``, …, ``work(pieces - 1)``, done on ``available()`` threads.

    Where the pieces do not depend on that number, nor does the result. The threads end with the
    call, so that a process may fork afterwards.
    """
    threads = min(pieces, available())
    if threads <= 1:
        return [work(piece) for piece in range(pieces)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(pieces)))


def available() -> int:
    """Give the number of threads that numba was told of: the cores, or ``NUMBA_NUM_THREADS``.

    joblib and the like set that variable for their workers. ``numba.get_num_threads`` would
    start numba's own threads, and with them set OpenMP's number, which is torch's too.
    """
    return int(vars(config)["NUMBA_NUM_THREADS"])


def cut(count: int, size: int, most: int) -> list[slice]:
    """Cut ``range(count)`` into equal pieces of about ``size``, but not more than ``most``."""
    pieces = min(max(-(-count // size), 1), most)
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    return [slice(bounds[piece], bounds[piece + 1]) for piece in range(pieces)]
