"""Draw every parameter anew: the control that trains from scratch at the present widths."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn.utils import parametrize

from clusterpress.codes import all_weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import refuse_coded


class Reinitialize:
    """Forget what was learnt and keep the architecture, also where it was merged or pruned.

    Every module that has ``reset_parameters`` draws its parameters as its constructor did, inner
    modules before outer ones, so that a network's own initialisation has the last word. The seed
    comes from the context; torch's global generators are left as they were.
    """

    version: ClassVar[int] = 1

    def check(self, network: nn.Module) -> None:
        """Refuse a network whose parameters cannot all be drawn anew, or will be coded by then.

        Raises:
            ConfigError: The module or layer.
        """
        _require_resettable(network)
        refuse_coded((name for name, _ in all_weight_layers(network)), "Reinitialize")

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Draw in place and return the network.

        Raises:
            ConfigError: A parameter is coded, or belongs to a module without
                ``reset_parameters``. Nothing is changed then.
        """
        _require_resettable(network)
        seed = int(context.rng().integers(2**63))
        parameters = network.parameters()
        gpus = sorted({each.device.index for each in parameters if each.device.type == "cuda"})
        with torch.random.fork_rng(devices=gpus):
            torch.manual_seed(seed)
            for module in reversed(list(network.modules())):
                reset = getattr(module, "reset_parameters", None)
                if callable(reset):
                    reset()
        return network


def _require_resettable(network: nn.Module) -> None:
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module):
            raise ConfigError(
                f"Layer {name!r} is held by a code and cannot be drawn anew; put Reinitialize "
                "before the steps that give a layer a code."
            )
        own = [tensor for tensor, _ in module.named_parameters(recurse=False)]
        if own and not callable(getattr(module, "reset_parameters", None)):
            raise ConfigError(
                f"Module {name!r} ({type(module).__name__}) has parameters ({', '.join(own)}) but "
                "no reset_parameters() to draw them anew; give its class that method."
            )
