import pytest
import torch

from clusterpress.data.augmentation import augment, flip, shift
from clusterpress.training.recipe import AUGMENTATIONS, CROP


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moved(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    result = torch.zeros_like(image)
    height, width = image.shape[-2:]
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[..., row, column] = image[..., row - down, column - right]
    return result


def test_every_image_is_one_of_its_translations_and_all_occur() -> None:
    image = torch.randint(1, 256, (2, 5, 4), generator=generator(), dtype=torch.uint8)
    shifted = shift(image.expand(500, -1, -1, -1), 1, generator())
    moves = [moved(image, down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    counts = [sum(torch.equal(one, move) for one in shifted) for move in moves]
    assert sum(counts) == 500
    assert min(counts) > 25


def test_zero_pixels_changes_nothing() -> None:
    images = torch.randint(256, (6, 3, 5, 4), generator=generator(), dtype=torch.uint8)
    assert torch.equal(shift(images, 0, generator()), images)


def test_the_generator_alone_decides() -> None:
    images = torch.randint(256, (60, 1, 9, 9), generator=generator(), dtype=torch.uint8)
    first = shift(images, 2, generator(1))
    torch.manual_seed(7)
    assert torch.equal(first, shift(images, 2, generator(1)))
    assert not torch.equal(first, shift(images, 2, generator(2)))


def test_every_image_is_mirrored_or_not_about_half_the_time() -> None:
    image = torch.randint(256, (2, 5, 4), generator=generator(), dtype=torch.uint8)
    flipped = flip(image.expand(500, -1, -1, -1), generator())
    mirrored = sum(torch.equal(one, image.flip(2)) for one in flipped)
    assert mirrored + sum(torch.equal(one, image) for one in flipped) == 500
    assert 200 < mirrored < 300


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_augmentation_keeps_shape_type_and_seed(kind: str) -> None:
    images = torch.randint(256, (60, 3, 9, 8), generator=generator(), dtype=torch.uint8)
    first = augment(images, kind, 2, generator(1))
    assert (first.shape, first.dtype) == (images.shape, images.dtype)
    torch.manual_seed(7)
    assert torch.equal(first, augment(images, kind, 2, generator(1)))
    assert torch.equal(first, images) == (kind in ("none", CROP))
    assert torch.equal(first, augment(images, kind, 2, generator(2))) == (kind in ("none", CROP))


def test_crop_and_flip_together_give_a_crop_of_the_padded_image_or_its_mirror() -> None:
    image = torch.randint(1, 256, (3, 5, 4), generator=generator(), dtype=torch.uint8)
    moves = [moved(image, down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    allowed = [*moves, *(move.flip(2) for move in moves)]
    for one in augment(image.expand(80, -1, -1, -1), "shift_flip", 1, generator()):
        assert any(torch.equal(one, each) for each in allowed)


def test_shift_draws_the_same_with_a_flip_behind_it() -> None:
    images = torch.randint(256, (40, 3, 9, 8), generator=generator(), dtype=torch.uint8)
    plain = augment(images, "shift", 2, generator(3))
    both = augment(images, "shift_flip", 2, generator(3))
    for one, other in zip(plain, both, strict=True):
        assert torch.equal(one, other) or torch.equal(one.flip(2), other)
