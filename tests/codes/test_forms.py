"""What the codes of the baselines give: values worked out by hand, and what they refuse."""

import numpy as np
import pytest
import torch

from clusterpress.codes import Binary, Hashed, Product, Quantized, Ternary
from clusterpress.codes.hashed import hashes
from clusterpress.codes.quantized import nearest_levels, ranges

PINNED = ["0xef25b168b641be3f", "0x2581936a25b8814b", "0x368a104abd2ca3f2"]


def test_levels_times_scale_from_the_zero_point() -> None:
    labels = torch.tensor([[0, 1, 2], [2, 1, 0]])
    assert Quantized(labels, 3, affine=False)(torch.tensor([[0.5]])).tolist() == [
        [-0.5, 0, 0.5],
        [0.5, 0, -0.5],
    ]
    affine = Quantized(labels, 3, affine=True)(torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
    assert affine.tolist() == [[0, 1, 2], [2, 0, -2]]


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("levels", [2, 3, 15, 256])
def test_the_nearest_level_errs_by_half_a_scale(levels: int, affine: bool) -> None:
    rows = torch.randn(3, 50)
    original = ranges(rows, levels, affine=affine)
    code = Quantized(nearest_levels(rows, original, levels).long(), levels, affine=affine)
    # An affine zero point is rounded to a level, which moves the whole range by up to half of one.
    allowed = original[0] * (1.0 if affine else 0.5)
    assert torch.all((code(original) - rows).abs().amax(1) <= allowed * (1 + 1e-5))


def test_zero_stays_zero_where_the_quantiser_is_affine() -> None:
    rows = torch.tensor([[0.0, 0.3, 1.1, 4.7]])
    original = ranges(rows, 4, affine=True)
    assert Quantized(nearest_levels(rows, original, 4).long(), 4, affine=True)(original)[0, 0] == 0


def test_a_constant_zero_weight_has_a_finite_scale() -> None:
    for affine in (False, True):
        original = ranges(torch.zeros(1, 4), 3, affine=affine)
        levels = nearest_levels(torch.zeros(1, 4), original, 3)
        assert Quantized(levels.long(), 3, affine=affine)(original).tolist() == [[0, 0, 0, 0]]


def test_ternary_values_and_their_means() -> None:
    code = Ternary(torch.tensor([[0, 1], [2, 2]]))
    assert code(torch.tensor([3.0, 2.0])).tolist() == [[-2, 0], [3, 3]]
    assert code.right_inverse(torch.tensor([[-5.0, 9.0], [1.0, 3.0]])).tolist() == [2, 5]


def test_binary_values_and_their_means() -> None:
    code = Binary(torch.tensor([[0, 1], [1, 1]]))
    assert code(torch.tensor([3.0, 2.0])).tolist() == [[-3, 3], [2, 2]]
    assert code.right_inverse(torch.tensor([[-5.0, 1.0], [1.0, 3.0]])).tolist() == [3, 2]


def test_every_part_of_a_row_has_a_codebook() -> None:
    codebooks = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    code = Product(torch.tensor([0, 1, 1, 0]), (2, 4), 2)
    assert code(codebooks).tolist() == [[1, 2, 7, 8], [3, 4, 5, 6]]
    assert torch.equal(code.right_inverse(code(codebooks)), codebooks)
    kernels = Product(torch.tensor([1, 0]), (2, 1, 1, 2), 1)
    assert kernels(codebooks[:1]).tolist() == [[[[3, 4]]], [[[1, 2]]]]


def test_the_hash_is_pinned() -> None:
    # Files hold no index: another hash would make other networks of them.
    assert [hex(one) for one in hashes(3, 7)] == PINNED


def test_the_hash_is_even_and_its_seeds_differ() -> None:
    code, other = Hashed((100, 100), 10, 0), Hashed((100, 100), 10, 1)
    counts = torch.bincount(code.buckets.labels)
    assert counts.numel() == 10
    assert 900 < int(counts.min()) <= int(counts.max()) < 1100
    assert abs(int(code.signs.sum())) < 300
    assert 0.05 < float((code.buckets.labels == other.buckets.labels).float().mean()) < 0.15
    assert torch.equal(hashed_again(code), code(torch.arange(10.0)))


def hashed_again(code: Hashed) -> torch.Tensor:
    streams = {stream.part: stream.values for stream in code.streams(torch.arange(10.0))}
    again, codebook = Hashed.from_streams((100, 100), streams)
    return again(codebook)


def test_buckets_start_at_their_signed_means() -> None:
    code, codebook = Hashed((8, 8), 6, 3), torch.randn(6)
    torch.testing.assert_close(code.right_inverse(code(codebook)), codebook)


def refusal(number: int) -> None:
    """Build the code with one thing wrong."""
    wrong = [
        lambda: Quantized(torch.tensor([3]), 3, affine=False),
        lambda: Quantized(torch.tensor([0]), 257, affine=False),
        lambda: Ternary(torch.tensor([3])),
        lambda: Binary(torch.tensor([-1])),
        lambda: Product(torch.tensor([0, 1, 1]), (2, 4), 1),
        lambda: Product(torch.tensor([0, 1]), (2, 4), 2),
        lambda: Hashed((2, 2), 0, 0),
        lambda: Hashed((2, 2), 1, 1 << 16),
    ]
    wrong[number]()


@pytest.mark.parametrize("number", range(8))
def test_what_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        refusal(number)


def test_streams_that_contradict_themselves_are_refused() -> None:
    index, scale = np.zeros(4, np.uint8), np.ones(2, np.float32)
    with pytest.raises(ValueError, match="neither affine"):
        Quantized.from_streams(
            (2, 2), {"index": index, "scale": scale, "transform": np.array([2, 2])}
        )
    with pytest.raises(ValueError, match="scales for 3 outputs"):
        Quantized.from_streams(
            (3, 1), {"index": index[:3], "scale": scale, "transform": np.array([2, 0])}
        )
    with pytest.raises(ValueError, match="scales for a ternary"):
        Ternary.from_streams((2, 2), {"index": index, "scale": scale[:1]})
    streams = {"index": index + 3, "codebook": scale, "transform": np.array([0])}
    with pytest.raises(ValueError, match="label 3"):
        Product.from_streams((4, 1), streams)
