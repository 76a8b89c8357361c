import math

import pytest

from clusterpress.data.cifar import Cifar10
from clusterpress.data.digits import Digits
from clusterpress.data.mnist import Mnist
from clusterpress.errors import ConfigError
from clusterpress.runs.identity import settings


def test_lists_from_yaml_are_taken_and_the_value_is_hashable() -> None:
    data = Cifar10(mean=[0.5, 0.5, 0.5], std=[1, 1, 1])
    assert data.mean == (0.5, 0.5, 0.5)
    assert hash(data) == hash(Cifar10(mean=(0.5, 0.5, 0.5), std=(1, 1, 1)))


@pytest.mark.parametrize(
    "bad", [{"mean": [0.5]}, {"std": [1, 1]}, {"mean": [0, 0, math.nan]}, {"std": [1, 1, 0]}]
)
def test_what_fits_no_channels_is_refused(bad: dict[str, list[float]]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        Cifar10(**bad)


def test_the_pixels_can_be_left_in_units_of_256() -> None:
    """Caffe's LeNets want pixel / 256."""
    images = Digits(mean=[0], std=[256 / 255]).load()
    expected = images.train.images.float() / 256
    assert (images.normalize(images.train.images) - expected).abs().max() < 1e-6


def test_the_measured_normalisation_changes_no_identity() -> None:
    node = {"_target_": f"{Mnist.__module__}.{Mnist.__name__}", "validation": 5000}
    assert settings(node) == settings({**node, "mean": [], "std": []})
    assert settings(node) != settings({**node, "mean": [0.0]})
