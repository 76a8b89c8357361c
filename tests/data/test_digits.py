import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from clusterpress.data.digits import Digits, resize
from clusterpress.errors import ConfigError

SHA256 = "f1683cd704335f31f6468f5cd58fe2386beae52269dc449f5c979df32bf28aac"


def test_sizes_and_classes() -> None:
    images = Digits(validation=200).load()
    assert (len(images.train), len(images.validation), len(images.test)) == (1147, 200, 450)
    assert images.shape == Digits.shape
    for part in (images.train, images.validation, images.test):
        assert part.labels.unique().tolist() == list(range(Digits.classes))


def test_the_test_split_does_not_depend_on_the_validation_split() -> None:
    first, second = Digits(validation=0).load(), Digits(validation=300).load()
    assert torch.equal(first.test.images, second.test.images)
    assert first.sha256 == second.sha256
    assert len(first.validation) == 0


def test_digest_is_pinned() -> None:
    assert (
        Digits().load().sha256 == "f1683cd704335f31f6468f5cd58fe2386beae52269dc449f5c979df32bf28aac"
    )


def test_resize_agrees_with_torch() -> None:
    pixels = load_digits().images[:200]
    reference = torch.nn.functional.interpolate(
        torch.from_numpy(pixels)[:, None] * 255 / 16, size=(28, 28), mode="bilinear"
    )[:, 0].numpy()
    assert np.abs(resize(pixels.astype(np.int64)) - reference).max() <= 0.5 + 1e-9


def test_too_large_a_validation_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="1340"):
        Digits(validation=1340).load()
