import ctypes
import os
import subprocess
import sys

import pytest
import torch

from clusterpress.memory import keep_freed_memory, keeping_freed_memory, resident_bytes

MEBIBYTE = 1 << 20
needs_glibc = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt") or resident_bytes() is None,
    reason="only glibc can be told to keep memory, and only Linux tells a process's size",
)


def resident() -> int:
    size = resident_bytes()
    assert size is not None
    return size


def take_and_free() -> None:
    torch.ones(64 * MEBIBYTE // 4)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)


@needs_glibc
def test_what_is_freed_is_kept_for_a_while() -> None:
    with keeping_freed_memory():
        pass  # What others left is given back, so that the block below is new.
    before = resident()
    with keeping_freed_memory():
        take_and_free()
        assert resident() - before > 50 * MEBIBYTE
    assert resident() - before < 20 * MEBIBYTE


AFTERWARDS = """
from clusterpress.memory import keeping_freed_memory, resident_bytes

with keeping_freed_memory():
    bytearray(64 << 20)
before = resident_bytes()
bytearray(256 << 20)  # No hole that the block above left in the heap is as large.
print(resident_bytes() - before)
"""


@needs_glibc
def test_afterwards_large_blocks_are_given_back_at_once() -> None:
    # In a process of its own, whose heap has no holes of others for the block to come from.
    command = [sys.executable, "-c", AFTERWARDS]
    left = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(left) < 20 * MEBIBYTE


@needs_glibc
def test_memory_is_given_back_after_an_error_too() -> None:
    before = resident()

    def fail() -> None:
        take_and_free()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), keeping_freed_memory():
        fail()
    assert resident() - before < 20 * MEBIBYTE


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    with keeping_freed_memory():
        pass


def test_who_has_set_malloc_up_keeps_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    assert not keep_freed_memory()
