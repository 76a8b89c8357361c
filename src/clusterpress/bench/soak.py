"""Kill a sweep by the dozen: ``python -m clusterpress.bench.soak``."""

import random
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clusterpress.bench.soak_rows import GOAL, KillRow, write_kills
from clusterpress.bench.soak_sweep import KINDS, Hit, KilledSweep, fingerprints, redone
from clusterpress.places import folder
from clusterpress.results import PROVENANCE, Names, comparison, load_claims, read_records
from clusterpress.results.markdown import markdown
from clusterpress.results.tables import pages
from clusterpress.runs.named import named_points
from clusterpress.runs.provenance import processor

OUTPUT = Path("results/bench/soak.csv")
DATA = ("digits",)
PAPERS = ("controls", "wang2020", "zhong2018", "han2016", "liu2019")  # 20 points on the digits.
RECIPES = ("train", "retrain", "finetune", "recover", "scratch")
SETTINGS = (*(f"recipe.{name}.epochs=1" for name in RECIPES), "download=false")
_PER_SWEEP = 6
_EARLY = 1 / 6  # Share of the kills that may come before the first run has begun.


@dataclass(frozen=True)
class Soak:
    """What the sweeps of a soak have in common.

    Attributes:
        papers: Whose suites on the digits are run.
        seeds: Root seeds, such as ``0,1``.
        names: Suite points by id, at the soak's settings.
        scratch: Folder for stores.
    """

    papers: Sequence[str]
    seeds: str
    names: Names
    scratch: Path

    def sweep(self, number: int) -> KilledSweep:
        """Give a sweep on an empty store."""
        extra = [part for line in SETTINGS for part in ("--set", line)]
        own = ("--data", *DATA, "--seeds", self.seeds, "--jobs", "2")
        store = self.scratch / f"store{number}"
        return KilledSweep(
            ["reproduce", *self.papers, *own, *extra], store, self.scratch / f"log{number}"
        )

    def tables(self, store: Path) -> Mapping[str, str]:
        """Give every table of a store without its columns of timing and provenance."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # A damaged record may not be left out.
            records = read_records(store)
        compared = comparison(records, load_claims(folder("experiments")), self.names)
        written = pages(records, compared, self.names)
        del written["provenance"]
        texts = {name: markdown(page) for name, page in written.items()}
        return {**texts, "records.csv": records.drop(columns=[*PROVENANCE]).to_csv(index=False)}


def main(
    kills: Annotated[int, typer.Option(min=1, help="How many kills.")] = GOAL,
    seed: Annotated[int, typer.Option(help="What kinds and instants are drawn from.")] = 0,
    output: Annotated[Path, typer.Option(help="CSV of the kills; the page lies beside it.")] = (
        OUTPUT
    ),
) -> None:
    """Kill sweeps, write what became of them, and fail where work or a number was lost."""
    console = Console(highlight=False, markup=False)
    rows: list[KillRow] = []
    with tempfile.TemporaryDirectory(prefix="clusterpress-soak-") as scratch:
        soak = Soak(PAPERS, "0,", named_points(SETTINGS, DATA), Path(scratch))
        for row in soaked(soak, kills, random.Random(seed)):
            rows.append(row)
            console.print(
                f"kill {row.kill} of {row.kind} after {row.seconds} s at {row.stages or '-'}: "
                f"{row.redone} done again, tables {'equal' if row.equal else 'DIFFER'}"
            )
            write_kills(output, rows)  # What is cut short keeps what it has done.
    if any(row.redone or not row.equal for row in rows):
        raise SystemExit("A killed sweep did finished work again, or its tables differ.")


def soaked(
    soak: Soak, kills: int, rng: random.Random, per_sweep: int = _PER_SWEEP
) -> Iterator[KillRow]:
    """Kill sweeps until there were so many kills; give a row for each.

    Raises:
        StoreError: A sweep failed that nobody killed.
    """
    reference = soak.sweep(0)
    first, seconds = reference.whole()
    expected, kinds = soak.tables(reference.store), _kinds(rng)
    done = number = 0
    while done < kills:
        number += 1
        sweep, hits = soak.sweep(number), list[Hit]()
        try:
            for kind in islice(kinds, min(per_sweep, kills - done)):
                early = rng.random() < _EARLY
                # Soon enough after its first run that the next start has work to do.
                after = rng.uniform(0, first if early else (seconds - first) / 5)
                hit = sweep.killed(kind, after, rng, early=early)
                if hit is None:
                    break
                hits.append(hit)
            sweep.whole()
        finally:
            sweep.end()
        equal = soak.tables(sweep.store) == expected
        after_all = fingerprints(sweep.store)
        for hit in hits:
            done += 1
            yield _row(hit, sweep, (number, done), redone(hit.finished, after_all), equal)


def _kinds(rng: random.Random) -> Iterator[str]:
    while True:
        yield from rng.sample(KINDS, len(KINDS))


def _row(
    hit: Hit, sweep: KilledSweep, numbers: tuple[int, int], again: int, equal: bool
) -> KillRow:
    return KillRow(
        *numbers,
        hit.kind,
        round(hit.seconds, 1),
        ";".join(hit.stages),
        len(hit.finished),
        round(hit.lost, 2),
        again,
        sweep.starts,
        len(list(sweep.store.glob("runs/[!.]*/record.json"))),
        equal,
        processor(),
    )


if __name__ == "__main__":
    typer.run(main)
