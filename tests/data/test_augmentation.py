import torch

from clusterpress.data.augmentation import shift


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
