"""Every coder gives back what it was given, at about the entropy."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.artifact import counting, positions, symbols
from clusterpress.artifact.coders import SYMBOL_CODERS, Encoded, decode_stream, encode_stream
from clusterpress.artifact.counting import count_symbols, gaps_of
from clusterpress.artifact.huffman import entropy_bits, fixed_width, huffman_bits
from clusterpress.codes import Stream


def round_trip(name: str, values: np.ndarray, alphabet: int) -> int | None:
    coder = SYMBOL_CODERS[name]
    data = coder.encode(values, alphabet)
    if data is None:
        return None
    assert np.array_equal(coder.decode(data, values.shape, alphabet), values)
    return len(data)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300), st.integers(0, 400), st.sampled_from([0.0, 1.0, 6.0]), st.integers(0, 999)
)
def test_symbols_come_back(alphabet: int, count: int, skew: float, seed: int) -> None:
    shares = np.exp(-skew * np.arange(alphabet) / alphabet)
    rng = np.random.default_rng(seed)
    values = rng.choice(alphabet, count, p=shares / shares.sum())
    sizes = [round_trip(name, values, alphabet) for name in SYMBOL_CODERS]
    encoded = encode_stream(Stream("index", values, alphabet))
    assert len(encoded.data) == min(size for size in sizes if size is not None)
    assert np.array_equal(decode_stream(encoded, values.shape), values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.floats(0, 1),
    st.booleans(),
    st.integers(0, 999),
)
def test_masks_come_back(shape: list[int], keep: float, dead: bool, seed: int) -> None:
    mask = (np.random.default_rng(seed).random(shape) < keep).astype(np.uint8)
    if dead:
        mask[..., 0] = 0
    for name in SYMBOL_CODERS:
        round_trip(name, mask, 2)
    encoded = encode_stream(Stream("position", mask, 2))
    assert np.array_equal(decode_stream(encoded, mask.shape), mask)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_mask_of_one_value_costs_at_most_a_byte(kept: int) -> None:
    encoded = encode_stream(Stream("position", np.full((300, 784), kept, np.uint8), 2))
    assert len(encoded.data) <= 1


def test_ans_takes_its_entropy_and_a_byte_a_symbol() -> None:
    values = np.random.default_rng(0).binomial(31, 0.3, 50_000)
    entropy = entropy_bits(np.bincount(values).tolist()) / 8
    size = round_trip("ans", values, 32)
    assert size is not None
    assert size <= 1.001 * entropy + 32 + 8


def test_an_even_mask_takes_its_entropy() -> None:
    mask = (np.random.default_rng(0).random((500, 800)) < 0.08).astype(np.uint8)
    entropy = entropy_bits(np.bincount(mask.ravel()).tolist()) / 8
    size = round_trip("grid", mask, 2)
    assert size is not None
    assert size <= 1.005 * entropy + 16


def test_dead_columns_and_dense_rows_are_nearly_free() -> None:
    rng = np.random.default_rng(0)
    shares = (
        np.where(np.arange(784) % 4 == 0, 0, 0.1) * np.where(np.arange(300) < 30, 4, 0.7)[:, None]
    )
    mask = (rng.random((300, 784)) < shares).astype(np.uint8)
    ideal = (
        -(mask * np.log2(np.where(mask, shares, 1)) + (1 - mask) * np.log2(1 - shares)).sum() / 8
    )
    size = round_trip("grid", mask, 2)
    assert size is not None
    assert size <= ideal + 0.02 * ideal + 784 / 8
    assert size < 0.9 * entropy_bits(np.bincount(mask.ravel()).tolist()) / 8


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8", "i8", "i4", "u1"])
def test_floats_come_back_bit_for_bit(dtype: str) -> None:
    raw = np.random.default_rng(0).integers(0, 256, 800, dtype=np.uint8)
    values = np.concatenate([raw, np.full(8, 0xFF, np.uint8)]).view(dtype)  # NaN payloads too
    encoded = encode_stream(Stream("dense", values))
    back = decode_stream(encoded, values.shape)
    assert back.dtype == values.dtype
    assert back.tobytes() == values.tobytes()


def test_unusual_memory_layouts_come_back() -> None:
    mask = np.asfortranarray(np.random.default_rng(0).random((40, 30)) < 0.3).astype(np.uint8)[::2]
    assert np.array_equal(
        decode_stream(encode_stream(Stream("position", mask, 2)), mask.shape), mask
    )
    floats = np.arange(20, dtype=np.float32)[::3]
    assert np.array_equal(decode_stream(encode_stream(Stream("dense", floats)), (7,)), floats)


def test_a_symbol_outside_its_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="alphabet of 3"):
        encode_stream(Stream("index", np.array([0, 3]), 3))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SYMBOL_CODERS)), st.binary(max_size=80), st.sampled_from([2, 5, 300]))
def test_wild_bytes_decode_to_symbols_or_raise(name: str, data: bytes, alphabet: int) -> None:
    shape = (6, 7)
    try:
        values = decode_stream(Encoded(name, alphabet, data), shape)
    except ValueError:
        return
    assert values.shape == shape
    assert 0 <= int(values.min()) <= int(values.max()) < alphabet


@pytest.mark.parametrize("shape", [(7, 11), (1, 77), (77, 1), (3, 5, 5)])
def test_chunks_change_neither_symbols_nor_counts(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = (np.random.default_rng(0).random(shape) < 0.4).astype(np.uint8)
    mask[..., 0] = 0
    data = {name: coder.encode(mask, 2) for name, coder in SYMBOL_CODERS.items()}
    counts, gaps = count_symbols(mask), gaps_of(mask)
    assert counts == Counter(mask.ravel().tolist())
    kept = [-1, *np.flatnonzero(mask).tolist()]
    assert dict(gaps) == Counter(after - before for before, after in pairwise(kept))
    for module in (counting, positions, symbols):
        monkeypatch.setattr(module, "CHUNK", 4)
    assert (count_symbols(mask), gaps_of(mask)) == (counts, gaps)
    for name, encoded in data.items():
        if encoded is not None:
            back = SYMBOL_CODERS[name].decode(encoded, shape, 2)
            assert back.dtype == np.uint8
            assert np.array_equal(back, mask)


def prefix_code_bits(counts: list[int]) -> int:
    """Merge the two rarest nodes again and again, keeping every symbol's depth."""
    nodes = sorted((count, (symbol,)) for symbol, count in enumerate(counts) if count)
    depths = dict.fromkeys(range(len(counts)), 0)
    while len(nodes) > 1:
        (first, left), (second, right), *rest = nodes
        for symbol in left + right:
            depths[symbol] += 1
        nodes = sorted([*rest, (first + second, left + right)])
    return sum(depths[symbol] * count for symbol, count in enumerate(counts))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 500), max_size=20))
def test_huffman_bits_are_those_of_an_explicit_code(counts: list[int]) -> None:
    bits = huffman_bits(counts)
    assert bits == prefix_code_bits(counts)
    assert entropy_bits(counts) - 1e-6 <= bits <= entropy_bits(counts) + sum(counts)


def test_huffman_bits_of_known_codes() -> None:
    assert huffman_bits([1, 1, 2, 4]) == 3 + 3 + 4 + 4
    assert huffman_bits([7]) == 0
    assert [fixed_width(k) for k in (0, 1, 2, 3, 32, 33)] == [0, 0, 1, 2, 5, 6]
