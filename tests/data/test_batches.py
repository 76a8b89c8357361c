import pytest
import torch

from clusterpress.data.batches import Batches, derived_seed
from clusterpress.data.images import Split
from clusterpress.errors import ConfigError


def numbered(count: int) -> Split:
    labels = torch.arange(count)
    images = labels.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()
    return Split(images, labels)


def seen(batches: Batches) -> list[int]:
    return [int(label) for _, labels in batches for label in labels]


@pytest.mark.parametrize("order", [None, 0, 5])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 100])
def test_every_image_comes_once_with_its_label(count: int, order: int | None) -> None:
    batches = Batches(numbered(count), 10, order)
    assert sorted(seen(batches)) == list(range(count))
    assert len(list(batches)) == len(batches)
    for images, labels in batches:
        assert torch.equal(images[:, 0, 0, 0].long(), labels)


def test_order_follows_the_seed_alone() -> None:
    first = seen(Batches(numbered(100), 10, 3))
    torch.manual_seed(99)
    assert first == seen(Batches(numbered(100), 10, 3))
    assert first != seen(Batches(numbered(100), 10, 4))
    assert seen(Batches(numbered(100), 10)) == list(range(100))


@pytest.mark.parametrize("count", [1, 7, 97, 100])
@pytest.mark.parametrize("world", [2, 3])
def test_shuffled_shares_are_equally_many_and_cover_everything(count: int, world: int) -> None:
    shares = [Batches(numbered(count), 6 * world, 1, rank, world) for rank in range(world)]
    assert len({len(seen(share)) for share in shares}) == 1
    assert len({len(share) for share in shares}) == 1
    assert set().union(*(seen(share) for share in shares)) == set(range(count))
    assert all(len(list(share)) == len(share) for share in shares)


@pytest.mark.parametrize("count", [0, 1, 7, 97])
def test_shares_in_file_order_count_every_image_once(count: int) -> None:
    shares = [Batches(numbered(count), 30, None, rank, 3) for rank in range(3)]
    assert sorted(place for share in shares for place in seen(share)) == list(range(count))
    assert all(len(list(share)) == len(share) for share in shares)


def test_shares_of_a_step_make_up_the_batch_of_one_device() -> None:
    whole = [set(labels.tolist()) for _, labels in Batches(numbered(24), 6, 2)]
    shares = [Batches(numbered(24), 6, 2, rank, 2) for rank in range(2)]
    steps = zip(*shares, strict=True)
    assert [{*first[1].tolist(), *second[1].tolist()} for first, second in steps] == whole


def test_a_batch_that_devices_cannot_share_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"10, it must be a multiple of the 3 devices"):
        Batches(numbered(30), 10, 0, 0, 3)


def test_derived_seeds_differ_by_every_part() -> None:
    paths = [(0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0)]
    assert len({derived_seed(*path) for path in paths}) == len(paths)
    assert derived_seed(0, 1, 2) != derived_seed(0, 2, 1)
    assert derived_seed(0, 1, 2) == derived_seed(0, 1, 2)
