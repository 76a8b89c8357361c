"""One round of the fuzzer in a process of its own, which a crash may take along.

Called by ``clusterpress.bench.fuzz``; the parent reads the counters, which outlive this process.
"""

import random
import resource
import sys
import tempfile
import traceback
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

import atheris
import numpy as np
import torch

# Before anything else imports them; numba cannot compile loops that count their own branches.
with atheris.instrument_imports(
    include=["clusterpress.artifact", "clusterpress.codes"],
    exclude=[
        "clusterpress.codes.loops",
        "clusterpress.codes.expand",
        "clusterpress.artifact.binary",
        "clusterpress.artifact.mask_model",
        "clusterpress.artifact.tree_loops",
    ],
):
    from clusterpress.bench import fuzz_moves, fuzz_trial
    from clusterpress.memory import peak_memory_bytes

_MOST_INPUT = 1 << 14
_SECONDS_AN_INPUT = 20
# Beyond what the process has before the first file: far above what a trial allows.
_ADDRESSES = 2 << 30


class Counter(IntEnum):
    """What the shared counters count, in their order in the file."""

    TRIED = 0
    DISTINCT = 1
    READ = 2
    LOADED = 3
    BUILT = 4
    FOUND = 5
    PEAK = 6


class Round:
    """Tries files and counts what became of them.

    Args:
        counters: File of as many int64 as ``Counter`` has members.
        findings: Folder for the files that break something, one of each kind.
        scratch: Folder for files that nobody keeps.
    """

    def __init__(self, counters: Path, findings: Path, scratch: Path) -> None:
        self.counts = np.memmap(counters, np.int64, "r+")
        self._findings = findings
        self._trial = fuzz_trial.Trial(scratch)
        self._begin = peak_memory_bytes()
        self._seen: set[int] = set()
        self._mutating = False

    def try_one(self, data: bytes) -> None:
        """Try a file; one that breaks something is kept, and the round goes on."""
        try:
            verdict = self._trial(data)
        except Exception as error:
            self._keep(data, error)
        except BaseException as error:
            # A panic of compiled code is no Exception; Ctrl-C is none of the file's doing.
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            self._keep(data, error)
        else:
            for counter, holds in zip(
                (Counter.READ, Counter.LOADED, Counter.BUILT),
                (verdict.read, verdict.loaded, verdict.built),
                strict=True,
            ):
                self.counts[counter] += self._mutating and holds
        self._count(data)

    def mutate(self, data: bytes, most: int, seed: int) -> bytes:
        """Damage a file, half of the time where libFuzzer would."""
        self._mutating = True
        rng = random.Random(seed)
        return fuzz_moves.mutated(data, rng, lambda some: _havoc(some, rng))[:most]

    def _count(self, data: bytes) -> None:
        if not self._mutating:  # The corpus comes first, as it is.
            return
        self._seen.add(hash(data))
        self.counts[Counter.TRIED] += 1
        self.counts[Counter.DISTINCT] = len(self._seen)
        self.counts[Counter.PEAK] = peak_memory_bytes() - self._begin

    def _keep(self, data: bytes, error: BaseException) -> None:
        self.counts[Counter.FOUND] += 1
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        name = sha256(f"{type(error).__name__} {where}".encode()).hexdigest()[:16]
        if not (self._findings / name).exists():
            (self._findings / name).write_bytes(data)
            text = "".join(traceback.format_exception(error))
            (self._findings / f"{name}.txt").write_text(text)


def _havoc(data: bytes, rng: random.Random) -> bytes:
    if not data or rng.random() < 0.5:
        return fuzz_moves.wild(data, rng)
    return bytes(atheris.Mutate(data, len(data) + 8))


def _limit_addresses() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Run a round; the arguments are the number of files, a seed, and four places."""
    files, seed, corpus, findings, counters = sys.argv[1:]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=Path(counters).parent) as scratch:
        one = Round(Path(counters), Path(findings), Path(scratch))
        arguments = (
            sys.argv[0],
            f"-runs={files}",
            f"-seed={1 + int(seed)}",  # libFuzzer takes 0 for none.
            f"-timeout={_SECONDS_AN_INPUT}",
            f"-max_len={_MOST_INPUT}",
            f"-artifact_prefix={findings}/",
            "-rss_limit_mb=0",  # The trial measures memory, and the system limits it.
            "-len_control=0",
            "-mutate_depth=1",
            corpus,
        )
        atheris.Setup(list(arguments), one.try_one, custom_mutator=one.mutate)
        _limit_addresses()
        atheris.Fuzz()


if __name__ == "__main__":
    main()
