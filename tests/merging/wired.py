"""A network whose wiring is given as a function."""

import torch
from torch import nn


class Wired(nn.Module):
    """Layers whose wiring is given as a function of the module and its input."""

    def __init__(self, wiring, **layers: nn.Module) -> None:
        super().__init__()
        self.wiring = wiring
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.wiring(self, x)
