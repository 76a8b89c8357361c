import numpy as np
import pytest
import torch

from clusterpress.data.images import Split
from clusterpress.data.splitting import hold_out, stratified
from clusterpress.errors import ConfigError


def labels(counts: list[int], seed: int = 0) -> torch.Tensor:
    ordered = np.repeat(np.arange(len(counts)), counts)
    return torch.from_numpy(np.random.default_rng(seed).permutation(ordered))


@pytest.mark.parametrize("size", [0, 1, 7, 30, 57])
def test_splits_are_disjoint_and_complete(size: int) -> None:
    rest, chosen = stratified(labels([30, 20, 10]), size)
    assert len(chosen) == size
    assert sorted([*rest, *chosen]) == list(range(60))


def test_every_class_gives_in_proportion() -> None:
    found = labels([300, 200, 100])
    _, chosen = stratified(found, 60)
    assert torch.bincount(found[torch.from_numpy(chosen)]).tolist() == [30, 20, 10]


def test_quotas_round_by_largest_remainder() -> None:
    found = labels([5, 5, 5])
    _, chosen = stratified(found, 7)
    assert sorted(torch.bincount(found[torch.from_numpy(chosen)]).tolist()) == [2, 2, 3]


def test_the_same_whatever_the_random_state() -> None:
    torch.manual_seed(1)
    first = stratified(labels([30, 20]), 9)[1]
    torch.manual_seed(2)
    assert np.array_equal(first, stratified(labels([30, 20]), 9)[1])


@pytest.mark.parametrize("size", [-1, 58, 60])
def test_a_class_without_images_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=r"\[0, 57\]"):
        stratified(labels([30, 20, 10]), size)


def test_images_go_with_their_labels() -> None:
    found = labels([30, 20, 10])
    images = found.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()
    for part in hold_out(Split(images, found), 12):
        assert torch.equal(part.images[:, 0, 0, 0].long(), part.labels)
