import pytest
import torch

from clusterpress.data.images import ImageSet, Split, channel_statistics, digest
from clusterpress.errors import DataError


def split(count: int = 50, channels: int = 3, seed: int = 0) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, channels, 6, 5), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(4, (count,), generator=generator))


def image_set(channels: int = 3) -> ImageSet:
    parts = [split(channels=channels, seed=seed) for seed in range(3)]
    return ImageSet("random", 4, *parts, sha256="")


@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_agree_with_torch(channels: int) -> None:
    images = split(channels=channels).images
    mean, std = channel_statistics(images)
    reference = images.double().div(255)
    assert mean == pytest.approx(reference.mean((0, 2, 3)).tolist(), rel=1e-12)
    assert std == pytest.approx(reference.std((0, 2, 3), correction=0).tolist(), rel=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_training_images_have_mean_0_and_deviation_1(channels: int) -> None:
    images = image_set(channels)
    normalised = images.normalize(images.train.images)
    assert normalised.dtype == torch.float32
    assert normalised.mean((0, 2, 3)).abs().max() < 1e-5
    assert (normalised.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_images_lie_channels_last_and_say_so(channels: int) -> None:
    images = image_set(channels)
    normalised = images.normalize(images.train.images)
    convolved = torch.nn.functional.conv2d(normalised, torch.zeros(8, channels, 3, 3))
    assert convolved.is_contiguous(memory_format=torch.channels_last)
    by_hand = images.train.images.float() / 255 - torch.tensor(images.mean).view(1, -1, 1, 1)
    by_hand /= torch.tensor(images.std).view(1, -1, 1, 1)
    assert torch.allclose(normalised, by_hand, atol=1e-5)


def test_a_constant_channel_does_not_divide_by_zero() -> None:
    part = Split(torch.full((4, 1, 2, 2), 7, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    images = ImageSet("flat", 1, part, part, part, sha256="")
    assert not images.normalize(part.images).any()


def test_digest_depends_on_every_image_label_and_shape() -> None:
    first = split()
    changed = Split(first.images.clone(), first.labels)
    changed.images[3, 1, 2, 2] ^= 1
    relabelled = Split(first.images, first.labels.roll(1))
    reshaped = Split(first.images.reshape(50, 3, 5, 6), first.labels)
    assert len({digest(part) for part in (first, changed, relabelled, reshaped)}) == 4
    assert digest(first) == digest(split())


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (torch.zeros(3, 1, 2, 2), torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)),
        (torch.zeros(3, 2, 2, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)),
    ],
)
def test_wrong_tensors_are_refused(images: torch.Tensor, labels: torch.Tensor) -> None:
    with pytest.raises(DataError, match="uint8 images"):
        Split(images, labels)
