"""A trial of a search, as it is kept."""

import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """A point that a sampler asked for, and what its runs gave.

    Attributes:
        number: Its place in the study, from 0.
        parameters: The values that were asked for, by key, as an override writes them.
        values: Its objectives, means over the seeds: error on the validation split in percent,
            and bytes of the file; None where it failed or is not done.
        failure: Why it failed, or None.
        runs: Ids of its runs, one a seed.
        overrides: The overrides that repeat it, without the seed.
        seeds: Its root seeds.
        best: Whether no other trial is better in one objective and at least as good in the other.
    """

    number: int
    parameters: dict[str, str]
    values: tuple[float, float] | None
    failure: str | None
    runs: tuple[str, ...]
    overrides: tuple[str, ...]
    seeds: tuple[int, ...]
    best: bool

    @property
    def command(self) -> str:
        """The command that repeats it."""
        many = ["-m"] if len(self.seeds) > 1 else []
        seeds = f"seed={','.join(map(str, self.seeds))}"
        return shlex.join(["clusterpress", "run", *many, *self.overrides, seeds])
