"""Widths that were chosen, and those that were not."""

from dataclasses import dataclass

from clusterpress.merging import HiddenLayer
from clusterpress.runs.plan import Plan

UNIFORM, LOSS, USE = "uniform", "by loss", "by use"


@dataclass(frozen=True)
class Chosen:
    """Widths, and what they were chosen by.

    Attributes:
        plan: The point whose step was asked for them.
        step: The name of that step.
        layers: The hidden layers from input to output, as they were.
        losses: Cross-entropy on the validation images, by layer and width, of the network with
            that layer alone so wide; nothing trained.
        candidates: Widths that meet the target: of one share for all layers (``uniform``), by
            those losses (``by loss``; see ``cheapest_widths``), and by how often a layer's
            weights are used (``by use``; see ``widths_by_use``).
        best: The name of the chosen ones.
        errors: Top-1 error on the whole validation split in percent, nothing trained: of the
            network as it was (``before``) and of the candidates.
        retrained: The candidates' after some epochs; empty without any.
        left: Parameters that are left with each.
        images: Validation images of ``losses``.
        epochs: Epochs of ``retrained``.
    """

    plan: Plan
    step: str
    layers: list[HiddenLayer]
    losses: dict[str, dict[int, float]]
    candidates: dict[str, dict[str, int]]
    best: str
    errors: dict[str, float]
    retrained: dict[str, float]
    left: dict[str, int]
    images: int
    epochs: int

    @property
    def widths(self) -> dict[str, int]:
        """The chosen widths."""
        return self.candidates[self.best]

    @property
    def keep(self) -> dict[str, float]:
        """The shares that give the widths, for a step's ``keep``."""
        return {
            layer.name: float(f"{self.widths[layer.name] / layer.width:.7g}")
            for layer in self.layers
            if self.widths[layer.name] < layer.width
        }
