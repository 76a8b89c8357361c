"""The benchmark of training as a page of Markdown, and what it must show, from its rows alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from clusterpress.bench.rows import Row
from clusterpress.bench.training_cases import (
    ALONE,
    AUGMENTING,
    BARE,
    BATCHED,
    FULL,
    LOADING,
    LOOPS,
    OURS,
    PRECISIONS,
    STEPS,
    WORKERS,
)
from clusterpress.bench.training_loops import BATCH, CENTERS, KEPT, KERNELS
from clusterpress.bench.verdicts import At, Target, Verdict, number, ratio

COMMAND = "make bench-training"
# The case "loop by precision" measures float32 anew: what "loop" shows must hold there too.
_PRECISIONS = (("32", "float32, measured again"), ("bf16", "bfloat16"))
_HEAD = ("method", "images/s", "seconds a step", "runs")


def verdicts(rows: Iterable[Row]) -> list[Verdict]:
    """Give the verdict on every target: met, missed or not measured."""
    known = list(rows)
    return [target.verdict(known) for target in TARGETS]


def _at(case: str, method: str, network: str) -> At:
    return At(f"{case}, {network}", method, FULL.batches[network] * BATCH, None)


def _loop_target(network: str, least: float) -> Target:
    ours, bare = (_at(LOOPS, method, network) for method in (OURS, BARE))
    return Target(f"{network}, speed over a bare loop", ratio([bare], [ours]), least, at_least=True)


def _precise_target(network: str, precision: str, words: str, least: float) -> Target:
    ours, bare = (_at(PRECISIONS, f"{who}, {precision}", network) for who in (OURS, BARE))
    words = f"{network} in {words}, speed over a bare loop"
    return Target(words, ratio([bare], [ours]), least, at_least=True)


def _step_target(network: str, code: str, words: str) -> Target:
    coded, dense = (_at(STEPS, each, network) for each in (code, "dense"))
    return Target(f"{network}, {words}, time over dense", ratio([coded], [dense]), 1.15)


def _loading_target(precision: str, words: str) -> Target:
    names = (f"{kind}, {precision}" for kind in (OURS, ALONE, WORKERS))
    ours, *others = (_at(LOADING, name, "lenet5") for name in names)
    words = f"lenet5{words}, speed over the fastest DataLoader"
    return Target(words, ratio(others, [ours]), 3, at_least=True)


def _augmenting_target() -> Target:
    at = At(AUGMENTING, BATCHED, FULL.augmented, None)
    speed = number(at, lambda row: row.n / row.seconds)
    return Target("crop and flip of 32x32x3", speed, 25_000, at_least=True, unit=" images/s")


TARGETS = (
    _loop_target("vgg16", 0.95),
    *(_precise_target("vgg16", *precision, 0.95) for precision in _PRECISIONS),
    _loop_target("lenet5", 0.92),
    *(_precise_target("lenet5", *precision, 0.92) for precision in _PRECISIONS),
    _loading_target("32", ""),
    _loading_target("bf16", " in bfloat16"),
    _step_target("vgg16", "shared", "shared weights"),
    *(_step_target("vgg16", code, code) for code in KERNELS),
    _augmenting_target(),
)


def report(rows: Sequence[Row]) -> str:
    """Give the targets with what was measured, then a table for every case."""
    return "\n".join([*_opening(rows), *_targets(rows), *_reasons(rows), *_tables(rows), ""])


def _opening(rows: Sequence[Row]) -> Iterator[str]:
    yield "# Training against other loops, and coded networks against dense ones"
    yield ""
    yield (
        f"`{COMMAND}` on {max(row.cores for row in rows)} cores: batches of {BATCH} random "
        "images, plain SGD with momentum, every method of a case in one process, one after the "
        "other in each round; the best of the rounds after one untimed turn. Shared weights have "
        f"{CENTERS} centres a layer, masks keep {KEPT:.0%} of a layer; shared 3x3 kernels have "
        f"{_kernels()} for the network. A processor without "
        "instructions for bfloat16 emulates it."
    )
    yield ""
    known = {part for row in rows for part in row.versions.split("; ") if part}
    yield f"Versions and hardware: {', '.join(sorted(known, key=str.lower))}."


def _kernels() -> str:
    return " or ".join(
        f"{centroids} centroids" + (f" in {transforms} turns" if transforms > 1 else "")
        for centroids, transforms in KERNELS.values()
    )


def _targets(rows: Sequence[Row]) -> Iterator[str]:
    yield from ("", "## Targets", "", "| | what | must show | measured |", "|---|---|---|---|")
    for verdict in verdicts(rows):
        yield f"| {verdict.judgement} | {verdict.what} | {verdict.bound} | {verdict.measured} |"


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    """Say what a step on LeNet-5 cannot be without: what bounds the two ratios of that network."""
    for precision, words in (("32", "float32"), ("bf16", "bfloat16")):
        ours, bare = (
            _at(PRECISIONS, f"{who}, {precision}", "lenet5").find(rows) for who in (OURS, BARE)
        )
        loader = _at(LOADING, f"{ALONE}, {precision}", "lenet5").find(rows)
        if ours and bare and loader:
            more = (ours.seconds - bare.seconds) * ours.d / ours.n * 1e3
            yield ""
            yield (
                f"LeNet-5 in {words}: a step takes {more:+.2g} ms in our loop, which runs PyTorch "
                "Lightning's hooks, against the bare one; the bare loop, without shifting any "
                f"image, is {loader.seconds / bare.seconds:.2f} times as fast as the DataLoader "
                "without workers."
            )


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    several = len({_processor(row) for row in rows}) > 1
    for (case, count), group in groupby(rows, lambda row: (row.case, row.n)):
        same = list(group)
        where = f", {_processor(same[0])}" if several else ""
        yield from ("", f"## {case}: {count:,} images{where}", "")
        yield f"| {' | '.join(_HEAD)} |"
        yield f"|{'---|' * len(_HEAD)}"
        for row in same:
            step = row.seconds * row.d / row.n
            yield f"| {row.method} | {row.n / row.seconds:,.1f} | {step:.4g} | {row.repeats} |"


def _processor(row: Row) -> str:
    return next((part for part in row.versions.split("; ") if part.startswith("processor ")), "")
