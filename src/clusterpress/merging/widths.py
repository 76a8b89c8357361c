"""How many neurons each hidden layer keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

from clusterpress.errors import ConfigError
from clusterpress.merging.layers import HiddenLayer
from clusterpress.suggest import by_name, nearest

Keep = float | Mapping[str, float]


def checked_keep(keep: Keep) -> float | dict[str, float]:
    """Check kept shares: one for all hidden layers, or one for each layer by name.

    Raises:
        ConfigError: A share is not a number in (0, 1], or a name is neither text nor a whole
            number, as a config holds those of an ``nn.Sequential``, or stands there as both.
    """
    if isinstance(keep, Mapping):
        shares = by_name(keep, "keep")
        return {name: _share(of, f"keep of layer {name!r}") for name, of in shares.items()}
    return _share(keep, "keep")


def target_widths(
    keep: float | Mapping[str, float], layers: Sequence[HiddenLayer]
) -> dict[str, int]:
    """Give each hidden layer's new width, ``max(1, round(keep * n))``.

    A layer that a mapping does not name keeps its width.

    Raises:
        ConfigError: A mapping names what is no hidden layer.
    """
    names = [layer.name for layer in layers]
    if isinstance(keep, Mapping):
        for name in keep:
            _require_hidden(name, names)
    shares = keep if isinstance(keep, Mapping) else dict.fromkeys(names, keep)
    return {
        layer.name: max(1, round(shares.get(layer.name, 1.0) * layer.width)) for layer in layers
    }


def _share(value: Any, what: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and 0 < value <= 1:
        return float(value)
    raise ConfigError(
        f"{what} is {value!r}, but the share of neurons that a layer keeps must be a number above "
        "0 and at most 1."
    )


def _require_hidden(name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise ConfigError(
            f"keep names {name!r}, which is no hidden layer of this network; its hidden layers "
            f"are: {', '.join(names) or 'none'}; {nearest(name, names)}"
        )
