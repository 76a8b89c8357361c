"""A table of the runs of a sweep that is kept up to date below what the sweep prints."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import IO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from clusterpress.runs.status import status
from clusterpress.runs.store import Store

SECONDS = 1.0
_OUTPUTS = (1, 2)


@contextlib.contextmanager
def live_status(store: Store) -> Iterator[None]:
    """Show the store's status on the terminal while the block lasts; none where there is none.

    It reads the files that ``clusterpress status`` reads. What this process and those that it
    starts print meanwhile goes through a pipe and appears above the table.

    Args:
        store: The store.
    """
    if not sys.stdout.isatty():
        yield
        return
    with _through_a_pipe() as (terminal, lines):
        console = Console(file=terminal, force_terminal=True, highlight=False)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            printer = threading.Thread(target=_print_above, args=(live, lines), daemon=True)
            ended = threading.Event()
            shower = threading.Thread(target=_show, args=(live, store, ended), daemon=True)
            printer.start()
            shower.start()
            try:
                yield
            finally:
                ended.set()
                shower.join()
                _restore(terminal)
                # A process that outlives the sweep may hold the pipe: nobody waits for it.
                printer.join(timeout=SECONDS)


def _show(live: Live, store: Store, ended: threading.Event) -> None:
    while not ended.wait(SECONDS):
        live.update(status(store), refresh=True)


def _print_above(live: Live, lines: IO[str]) -> None:
    for line in lines:
        live.console.print(Text.from_ansi(line.rstrip("\n")), soft_wrap=True)


@contextlib.contextmanager
def _through_a_pipe() -> Iterator[tuple[IO[str], IO[str]]]:
    """Give a file for the terminal, and the lines that go to the two outputs meanwhile."""
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    reading, writing = os.pipe()
    lines = os.fdopen(reading, encoding="utf-8", errors="replace")
    kept = [os.dup(output) for output in _OUTPUTS]
    for output in _OUTPUTS:
        os.dup2(writing, output)
    os.close(writing)
    try:
        yield terminal, lines
    finally:
        for output, old in zip(_OUTPUTS, kept, strict=True):
            os.dup2(old, output)
            os.close(old)
        terminal.close()


def _restore(terminal: IO[str]) -> None:
    """Let go of the pipe, so that its reader comes to the end."""
    sys.stdout.flush()
    sys.stderr.flush()
    for output in _OUTPUTS:
        os.dup2(terminal.fileno(), output)
