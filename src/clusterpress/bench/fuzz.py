"""Try damaged files by the hundred thousand: ``python -m clusterpress.bench.fuzz``."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from clusterpress.bench.fuzz_rows import GOAL, RoundRow, read_rounds, reader_digest, write_rounds
from clusterpress.bench.fuzz_seeds import write
from clusterpress.runs.provenance import processor

OUTPUT = Path("results/bench/fuzz.csv")
FINDINGS = Path("fuzz-findings")
_FILES_A_ROUND = 20_000
_COUNTERS = 7
_SECONDS_A_FILE = 0.2  # On average, far above what is measured; a round that takes more hangs.
_MEMORY = Path("/dev/shm")  # Where files that live for a millisecond need no disk.
_STATUS = re.compile(rb"#\d+\s+\w+\s+cov: (\d+) .*corp: (\d+)/")


@dataclass(frozen=True)
class Run:
    """What the rounds of a run have in common.

    Attributes:
        seed: Of the first round; others count on from it.
        corpus: Folder of the files that reach something new; it grows.
        findings: Folder of the files that broke something.
        scratch: Folder for files that nobody keeps.
    """

    seed: int
    corpus: Path
    findings: Path
    scratch: Path

    def round(self, number: int, files: int) -> RoundRow:
        """Try so many files in a process of its own and say what became of them."""
        begin, counters = time.perf_counter(), self.scratch / f"counters{number}"
        counters.write_bytes(bytes(8 * _COUNTERS))
        code, status = self._process(number, files, counters)
        counts = np.fromfile(counters, np.int64).tolist()
        tried, distinct, read, loaded, built, found, peak = counts
        seen = _STATUS.findall(status)
        edges, corpus = map(int, seen[-1]) if seen else (0, 0)
        if code != 0:  # libFuzzer has kept the file, if it was not killed itself.
            found += 1
            (self.findings / f"round-{self.seed}-{number}.log").write_bytes(status)
        return RoundRow(
            *(self.seed, number, reader_digest(), tried, distinct, read, loaded, built, found),
            *(edges, corpus, round(time.perf_counter() - begin, 1), peak, processor()),
        )

    def _process(self, number: int, files: int, counters: Path) -> tuple[int, bytes]:
        seed = self.seed * 100_003 + number
        places = map(str, (self.corpus, self.findings, counters))
        module = "clusterpress.bench.fuzz_child"
        command = [sys.executable, "-m", module, str(files), str(seed), *places]
        try:
            ended = subprocess.run(
                command, capture_output=True, check=False, timeout=60 + _SECONDS_A_FILE * files
            )
        except subprocess.TimeoutExpired as error:
            return 1, error.stderr or b""
        return ended.returncode, ended.stderr


def main(
    files: Annotated[int, typer.Option(help="How many mutated files to try.")] = GOAL,
    seed: Annotated[int, typer.Option(help="What the mutations are drawn from.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes at a time.")] = 1,
    output: Annotated[Path, typer.Option(help="CSV of the rounds; the page lies beside it.")] = (
        OUTPUT
    ),
    corpus: Annotated[Path | None, typer.Option(help="Folder to begin with and to add to.")] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Keep the rows of other seeds and of the same reader.")
    ] = False,
) -> None:
    """Try files, write what became of them, and fail where one broke something."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        own = corpus or Path(folder) / "corpus"
        own.mkdir(parents=True, exist_ok=True)
        write(own)
        run = Run(seed, own, FINDINGS, Path(folder))
        rows = _kept(output, seed, add)
        for row in _rounds(run, files, jobs):
            rows.append(row)
            write_rounds(output, rows)  # What is cut short keeps the rounds that it has done.
    broken = sum(row.findings for row in rows)
    if not any(FINDINGS.iterdir()):
        FINDINGS.rmdir()
    if broken:
        raise SystemExit(f"{broken} files broke something; one of each kind is in {FINDINGS}.")


def _kept(output: Path, seed: int, add: bool) -> list[RoundRow]:
    rows = read_rounds(output) if add and output.is_file() else []
    return [row for row in rows if row.seed != seed and row.reader == reader_digest()]


def _rounds(run: Run, files: int, jobs: int) -> Iterable[RoundRow]:
    console = Console(highlight=False, markup=False)
    sizes = [min(_FILES_A_ROUND, files - begin) for begin in range(0, files, _FILES_A_ROUND)]
    with ThreadPoolExecutor(jobs) as pool:
        for row in pool.map(run.round, range(len(sizes)), sizes):
            console.print(
                f"round {row.number}: {row.tried} files in {row.seconds} s, "
                f"{row.edges} branches, {row.findings} findings"
            )
            yield row


if __name__ == "__main__":
    typer.run(main)
