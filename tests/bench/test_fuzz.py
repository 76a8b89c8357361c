"""The fuzzer's own parts: what it damages, what it finds, and the page of what it counted."""

import hashlib
import random
from pathlib import Path

import pytest
import torch

from clusterpress import ArtifactError
from clusterpress.artifact.container import BODY
from clusterpress.bench import fuzz, fuzz_trial
from clusterpress.bench.fuzz_moves import mutated, own_bytes
from clusterpress.bench.fuzz_parts import fields_of, seal, sealed_again, stream_rows, unseal
from clusterpress.bench.fuzz_rows import RoundRow, page, read_rounds, write_rounds
from clusterpress.bench.fuzz_seeds import SEEDS, write
from clusterpress.bench.fuzz_trial import FindingError, Trial
from clusterpress.codes import CODES


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in write(tmp_path_factory.mktemp("corpus"))}


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def test_the_corpus_has_every_code_and_coder(corpus: dict[str, bytes]) -> None:
    text = "".join(unseal(data).text for data in corpus.values())
    assert corpus.keys() == SEEDS.keys()
    assert all(f'"{word}"' in text for word in (*CODES, "mixed", "constant"))


@pytest.mark.parametrize("name", SEEDS)
def test_every_seed_is_read_as_what_it_says(
    name: str, corpus: dict[str, bytes], trial: Trial
) -> None:
    verdict = trial(corpus[name])
    assert verdict.read
    assert verdict.built if name == "lenet" else verdict.loaded


@pytest.mark.parametrize("name", sorted(SEEDS.keys() - {"lenet"}))
def test_damaged_files_break_nothing(name: str, corpus: dict[str, bytes], trial: Trial) -> None:
    rng = random.Random(name)
    for _ in range(40):
        trial(mutated(corpus[name], rng))


def test_damage_is_drawn_from_its_seed_and_mostly_sealed(corpus: dict[str, bytes]) -> None:
    data = corpus["shared_masked"]
    files = [mutated(data, random.Random(seed)) for seed in range(100)]
    assert files == [mutated(data, random.Random(seed)) for seed in range(100)]
    assert len(set(files)) > 80
    sealed = sum(hashlib.sha256(file[:-32]).digest() == file[-32:] for file in files)
    assert 70 < sealed < 100


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_taken_apart_goes_together_again(name: str, corpus: dict[str, bytes]) -> None:
    data = corpus[name]
    parts = unseal(data)
    assert seal(parts) == data == sealed_again(data[:-32] + bytes(32))
    rows = [row for _, streams in stream_rows(parts) for row in streams]
    own = sum(map(own_bytes, rows))
    assert rows
    assert {BODY: own + sum(fields_of(parts)["lanes"])} == {
        name: len(payload) for name, payload in parts.payloads.items()
    }


def test_another_weight_is_found(
    corpus: dict[str, bytes], trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = fuzz_trial.load

    def wrong(path: Path, into: torch.nn.Module | None = None) -> torch.nn.Module:
        network = load(path, into=into)
        with torch.no_grad():
            labels = network.parametrizations.weight[0].labels
            labels[:] = labels.flip(0)
        return network

    monkeypatch.setattr(fuzz_trial, "load", wrong)
    with pytest.raises(FindingError, match="the weight of shared is not what its streams say"):
        trial(corpus["shared"])


def test_a_network_that_a_refused_file_changed_is_found(
    corpus: dict[str, bytes], trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(path: Path, into: torch.nn.Module) -> None:
        with torch.no_grad():
            into.bias.add_(1)
        raise ArtifactError(f"The file {path} is refused.")

    monkeypatch.setattr(fuzz_trial, "load", wrong)
    with pytest.raises(FindingError, match="the network is changed"):
        trial(corpus["dense"])


@pytest.mark.parametrize("text", ["no file.", "The file {} is bad", "The {}.\nTwo.", "{}" * 99])
def test_what_is_no_sentence_is_found(
    text: str, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise ArtifactError(text.replace("{}", str(path)))

    monkeypatch.setattr(fuzz_trial, "read", refuse)
    with pytest.raises(FindingError, match="no sentence"):
        trial(b"")


def test_other_exceptions_and_memory_are_found(
    corpus: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peaks = iter((0, 1 << 40))
    monkeypatch.setattr(fuzz_trial, "peak_memory_bytes", lambda: next(peaks))
    with pytest.raises(FindingError, match="memory"):
        Trial(tmp_path)(corpus["dense"])
    monkeypatch.undo()

    def broken(path: Path) -> None:
        raise KeyError("tensors")

    monkeypatch.setattr(fuzz_trial, "read", broken)
    with pytest.raises(KeyError):
        Trial(tmp_path)(corpus["dense"])


def test_a_small_run_counts_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("atheris", reason="atheris is installed by `make fuzz` alone")
    monkeypatch.chdir(tmp_path)
    fuzz.main(files=60, seed=3, jobs=1, output=Path("fuzz.csv"), corpus=None, add=False)
    (done,) = read_rounds(Path("fuzz.csv"))
    # The corpus is tried too, and not counted.
    assert 0 < done.tried <= 60
    assert done.findings == 0 < done.edges
    assert not Path("fuzz-findings").exists()


def row(number: int, tried: int, findings: int = 0) -> RoundRow:
    counts = (tried, tried - 1, 5, 4, 1, findings)
    return RoundRow(0, number, "0" * 12, *counts, 900, 80, 12.5, 10**8, "a machine")


def test_the_page_adds_the_rounds_up(tmp_path: Path) -> None:
    rows = [row(0, 600_000), row(1, 400_000, 2)]
    write_rounds(tmp_path / "fuzz.csv", rows)
    assert read_rounds(tmp_path / "fuzz.csv") == rows
    text = (tmp_path / "fuzz.md").read_text()
    assert "| files tried | 1,000,000 (goal 1,000,000: met) |" in text
    assert "| findings | 2 |" in text
    assert "missed" in page(rows[:1])


def test_the_committed_page_is_not_stale() -> None:
    path = Path(__file__).parents[2] / fuzz.OUTPUT
    if not path.is_file():
        pytest.skip("no fuzzing is recorded yet")
    assert path.with_suffix(".md").read_text() == page(read_rounds(path))
