"""The ratios, against bits counted by hand."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from clusterpress import ArtifactError
from clusterpress.artifact import (
    CONVENTIONS,
    Ledger,
    han2016_huffman_bytes,
    layer_breakdown,
    read,
    save,
)
from clusterpress.codes import Masked, Shared, attach

from .networks import NETWORKS, Small, block_network, mixed_network, signed_network


def gap_mask(shape: tuple[int, int], kept: list[int]) -> torch.Tensor:
    mask = torch.zeros(shape[0] * shape[1], dtype=torch.bool)
    mask[kept] = True
    return mask.reshape(shape)


def pruned(folder: Path, *, share: bool) -> Ledger:
    """A 4 x 25 layer with kept weights at 0, 1, 5, 12, 99 and two biases-like tensors."""
    network = nn.Sequential(nn.Linear(25, 4), nn.Linear(4, 2))
    mask = gap_mask((4, 25), [0, 1, 5, 12, 99])
    if share:
        code: Masked | Shared = Shared(torch.tensor([0, 1, 2, 1, 1]), (4, 25), mask)
        attach(network[0], "weight", code, torch.tensor([0.1, 0.2, 0.3]))
    else:
        attach(network[0], "weight", Masked(mask), torch.randn(4, 25))
    return save(network, folder / "file", position_bits=2)


# Gaps 1, 1, 4, 7, 87 in fields of 2 bits (a step of at most 4): 7 = 4 + 3 needs one filler,
# 87 = 21 * 4 + 3 needs 21. 5 kept weights + 22 fillers = 27 entries.
# Position symbols: 0 twice, 3 once, 2 twice, and 3 for each filler: {0: 2, 2: 2, 3: 23}.
POSITION_HUFFMAN = 23 * 1 + 2 * 2 + 2 * 2
INDEX_HUFFMAN = 22 * 1 + 3 * 2 + 1 * 3 + 1 * 3  # fillers 22, label 1 thrice, labels 0 and 2 once


def test_shared_and_pruned_bits_by_hand(tmp_path: Path) -> None:
    ledger = pruned(tmp_path, share=True)
    first = 27 * 2 + 27 * 2 + 4 * 32  # K = 3: 2 bits, a codebook of 4
    dense = 8 * 32
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(108 * 32 / (first + dense))
    huffman = INDEX_HUFFMAN + POSITION_HUFFMAN + 4 * 32 + dense
    assert CONVENTIONS["han2016_huffman"](ledger) == pytest.approx(108 * 32 / huffman)
    assert han2016_huffman_bytes(ledger) == math.ceil(huffman / 8)
    assert CONVENTIONS["fc_only"](ledger) == CONVENTIONS["han2016"](ledger)
    weights = 27 * 4 + 3 * 32 + dense + 6 * 32
    assert CONVENTIONS["weights"](ledger) == pytest.approx(114 * 32 / weights)
    assert CONVENTIONS["parameters"](ledger) == pytest.approx(114 / (5 + 8 + 6))
    assert CONVENTIONS["file"](ledger) == pytest.approx(
        114 * 4 / (tmp_path / "file").stat().st_size
    )


def test_pruned_only_bits_by_hand(tmp_path: Path) -> None:
    ledger = pruned(tmp_path, share=False)
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(108 * 32 / (27 * 34 + 8 * 32))
    huffman = 27 * 32 + POSITION_HUFFMAN + 8 * 32
    assert CONVENTIONS["han2016_huffman"](ledger) == pytest.approx(108 * 32 / huffman)


def test_a_gap_of_the_whole_field_needs_no_filler(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(8, 1, bias=False))
    attach(network[0], "weight", Masked(gap_mask((1, 8), [3, 7])), torch.randn(1, 8))
    ledger = save(network, tmp_path / "file", position_bits=2)
    assert ledger.rows[0].gaps == ((4, 2),)
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(8 * 32 / (2 * 34))


@pytest.mark.parametrize(("last", "bits"), [(3, 2 * 2 + 32), (11, 4 * 2 + 4 * 1 + 2 * 32)])
def test_one_centroid_needs_a_bit_once_there_are_fillers(
    last: int, bits: int, tmp_path: Path
) -> None:
    """Kept at 0 and 3: no filler, no bits. Kept at 0 and 11: a gap of 11 takes two fillers."""
    network = nn.Sequential(nn.Linear(20, 1, bias=False))
    code = Shared(torch.zeros(2, dtype=torch.long), (1, 20), gap_mask((1, 20), [0, last]))
    attach(network[0], "weight", code, torch.tensor([0.5]))
    ledger = save(network, tmp_path / "file", position_bits=2)
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(20 * 32 / bits)
    without_second_centroid = bits - (32 if last == 11 else 0)
    assert CONVENTIONS["weights"](ledger) == pytest.approx(20 * 32 / without_second_centroid)


def test_rows_by_hand(tmp_path: Path) -> None:
    position, index, codebook, *_ = pruned(tmp_path, share=True).rows
    assert (position.part, position.count, position.alphabet, position.fixed_bits) == (
        "position",
        100,
        2,
        100,
    )
    assert position.gaps == ((1, 2), (4, 1), (7, 1), (87, 1))
    assert (index.count, index.alphabet, index.histogram) == (5, 3, (1, 3, 1))
    assert (index.fixed_bits, index.huffman_bits) == (10, 7)
    assert index.entropy_bits == pytest.approx(3 * math.log2(5 / 3) + 2 * math.log2(5))
    assert (codebook.count, codebook.alphabet) == (3, None)
    assert 6 <= codebook.stored_bytes <= 12
    assert (codebook.layer, codebook.layer_type, codebook.tensor) == ("0", "fc", "0.weight")


def test_a_dense_network_counts_one_and_buffers_are_no_parameters(tmp_path: Path) -> None:
    ledger = save(Small(), tmp_path / "file")
    for name in ("han2016", "han2016_huffman", "weights", "fc_only", "parameters"):
        assert CONVENTIONS[name](ledger) == 1
    kinds = {row.tensor: (row.part, row.buffer) for row in ledger.rows}
    assert kinds["norm.running_mean"] == ("norm", True)
    assert kinds["norm.weight"] == ("norm", False)
    assert kinds["conv.bias"] == ("bias", False)


def test_merged_networks_are_counted_against_their_baseline(tmp_path: Path) -> None:
    reference = {"0.weight": 400, "0.bias": 20, "1.weight": 60}
    network = nn.Sequential(nn.Linear(20, 5), nn.Linear(5, 3))
    ledger = save(network, tmp_path / "file", reference=reference)
    assert CONVENTIONS["parameters"](ledger) == pytest.approx(
        (400 + 20 + 60 + 3) / (100 + 5 + 15 + 3)
    )
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(460 / 115)
    assert ledger.reference_bytes == 4 * 483
    assert read(tmp_path / "file").ledger == ledger


def test_no_linear_layer_gives_nan(tmp_path: Path) -> None:
    ledger = save(nn.Sequential(nn.Conv2d(1, 2, 3)), tmp_path / "file")
    assert math.isnan(CONVENTIONS["fc_only"](ledger))
    assert math.isnan(CONVENTIONS["parameters"](Ledger((), 0, {}, {}, 5)))


@pytest.mark.parametrize("name", NETWORKS)
def test_ledgers_pass_through_json(name: str, tmp_path: Path) -> None:
    ledger = save(NETWORKS[name](), tmp_path / "file")
    again = Ledger.from_dict(json.loads(json.dumps(ledger.to_dict(), allow_nan=False)))
    assert again == ledger


def test_an_incomplete_ledger_is_refused(tmp_path: Path) -> None:
    data = save(mixed_network(), tmp_path / "file").to_dict()
    with pytest.raises(ArtifactError, match="header_bytes"):
        Ledger.from_dict({key: value for key, value in data.items() if key != "header_bytes"})
    data["rows"][0]["surprise"] = 1
    with pytest.raises(ArtifactError, match="surprise"):
        Ledger.from_dict(data)


def test_layers_are_broken_down_in_order(tmp_path: Path) -> None:
    layers = layer_breakdown(save(mixed_network(), tmp_path / "file"))
    assert [(layer.layer, layer.layer_type) for layer in layers] == [
        ("conv", "conv"),
        ("norm", "other"),
        ("ip1", "fc"),
        ("ip2", "fc"),
    ]
    ip1 = layers[2]
    assert (ip1.weights, ip1.reference_bytes) == (768, 4 * 780)
    assert 0 < ip1.kept < 768
    assert set(ip1.parts) == {"position", "index", "codebook", "bias"}


def test_the_streams_are_smaller_than_huffman_and_fillers(tmp_path: Path) -> None:
    """At 8 % kept and Gaussian labels, as after Deep Compression, without structure to exploit."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(400, 300))
    mask = torch.rand(300, 400) < 0.08
    labels = (torch.randn(int(mask.sum())) * 5 + 16).round().clamp(0, 31).long()
    attach(network[0], "weight", Shared(labels, (300, 400), mask), torch.linspace(-1, 1, 32))
    ledger = save(network, tmp_path / "file")
    assert ledger.weight_stream_bytes < han2016_huffman_bytes(ledger)


def test_codes_of_scales_and_blocks_by_hand(tmp_path: Path) -> None:
    dense = 36 + 768 + 36
    biases = 4 + 12 + 3
    ledger = save(signed_network(), tmp_path / "file")
    # One bit a weight and a scale a filter; two bits and two scales; four bits, a scale and a zero
    # point an output, and two symbols of eight bits.
    stored = (36 + 4 * 32) + (2 * 768 + 2 * 32) + (4 * 36 + 6 * 32 + 16)
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(32 * dense / stored)
    assert CONVENTIONS["weights"](ledger) == pytest.approx(
        32 * (dense + biases) / (stored + 32 * biases)
    )
    assert CONVENTIONS["parameters"](ledger) == 1
    ledger = save(block_network(), tmp_path / "file")
    stored = (4 + 2 * 9 * 32 + 16) + (3 * 192 + 16 * 5 * 4 * 32 + 16) + (9 * 32 + 16)
    assert CONVENTIONS["han2016"](ledger) == pytest.approx(32 * dense / stored)
    assert CONVENTIONS["fc_only"](ledger) == pytest.approx(
        32 * (768 + 36) / (stored - (4 + 2 * 9 * 32 + 16))
    )
    assert CONVENTIONS["parameters"](ledger) == 1
