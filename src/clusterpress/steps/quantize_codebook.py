"""Store codebooks in fewer bits a value."""

from typing import ClassVar, Literal

import torch
from torch import nn

from clusterpress.codes import Shared, code_of, original_of, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import shares_weights

NOTHING = "QuantizeCodebook: no layer shares weights; a Share step comes first"
_DTYPES = {"float32": torch.float32, "float16": torch.float16}


class QuantizeCodebook:
    """Round every codebook to float16; training after it sees the rounded values.

    Args:
        dtype: ``float16`` (or ``float32``, to undo it).

    Raises:
        ConfigError: Another dtype; or, in ``apply``, a centroid beyond float16's range, or a
            network in which no layer shares weights.
    """

    version: ClassVar[int] = 1

    def __init__(self, dtype: Literal["float16", "float32"] = "float16") -> None:
        if dtype not in _DTYPES:
            raise ConfigError(
                f"QuantizeCodebook: dtype={dtype!r} is not one of {', '.join(_DTYPES)}"
            )
        self.dtype = _DTYPES[dtype]

    def check(self, network: nn.Module) -> None:
        """Refuse a network that will have no shared weights.

        Raises:
            ConfigError: It is such.
        """
        if not shares_weights(network):
            raise ConfigError(NOTHING)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Set the stored dtype of every codebook; record the largest change of a centroid."""
        largest = 0.0
        for name, layer, code in _shared(network):
            codebook = original_of(layer).detach()
            rounded = codebook.to(self.dtype).to(codebook)
            if not bool(torch.isfinite(rounded).all()):
                raise ConfigError(f"layer {name!r} has a centroid beyond the range of float16")
            largest = max(largest, float((rounded - codebook).abs().max()))
            code.codebook_dtype = self.dtype
        context.facts["largest_rounding"] = largest
        return network


def _shared(network: nn.Module) -> list[tuple[str, nn.Linear | nn.Conv2d, Shared]]:
    shared = [
        (name, layer, code)
        for name, layer in weight_layers(network)
        if isinstance(code := code_of(layer), Shared)
    ]
    if not shared:
        raise ConfigError(NOTHING)
    return shared
