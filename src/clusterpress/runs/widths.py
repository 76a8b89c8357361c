"""Widths of a merged or pruned network, layer by layer, chosen on the validation split."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from omegaconf import DictConfig
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import (
    HiddenLayer,
    cheapest_widths,
    keep_that_removes,
    parameters_at,
    target_widths,
)
from clusterpress.runs.plan import Plan, plan
from clusterpress.runs.stages import STEP_BATCH, Stages
from clusterpress.runs.store import Store
from clusterpress.steps import NarrowsLayers
from clusterpress.training.evaluation import evaluate

SHARES = (0.75, 0.5, 0.35, 0.25, 0.175, 0.125, 0.0875, 0.0625, 0.03)
"""At which widths each layer is tried, beside one neuron."""


@dataclass(frozen=True)
class Chosen:
    """Widths, and what they were chosen by.

    Attributes:
        plan: The point whose step was asked for them.
        step: The name of that step.
        layers: The hidden layers from input to output, as they were.
        losses: Cross-entropy on the validation images, by layer and width, of the network with
            that layer alone so wide; nothing trained.
        uniform: Widths of one share for all layers that meet the same target.
        widths: The chosen ones.
        errors: Top-1 error on the whole validation split in percent, nothing trained: of the
            network as it was (``before``), with the uniform and with the chosen widths.
        left: Parameters that are left with either.
        images: Validation images of ``losses``.
    """

    plan: Plan
    step: str
    layers: list[HiddenLayer]
    losses: dict[str, dict[int, float]]
    uniform: dict[str, int]
    widths: dict[str, int]
    errors: dict[str, float]
    left: dict[str, int]
    images: int

    @property
    def keep(self) -> dict[str, float]:
        """The shares that give the widths, for a step's ``keep``."""
        return {
            layer.name: float(f"{self.widths[layer.name] / layer.width:.7g}")
            for layer in self.layers
            if self.widths[layer.name] < layer.width
        }


def choose_widths(
    config: DictConfig, images: int = 2000, say: Callable[[str], None] = print
) -> Chosen:
    """Choose widths for a step that merges or removes neurons; see ``cheapest_widths``.

    Every hidden layer alone is made narrower by the step, at each of ``SHARES``, and the loss on
    validation images taken, nothing trained. Statistics of BatchNorms are estimated anew each
    time where the step does, for the losses from as many training images. The baseline and the
    stages before are found in the store or done. Nothing else is written, and no test image has
    a part in what is chosen.

    Args:
        config: A point whose method has one step with a target (``remove``).
        images: Validation images for the losses, the first of the split.
        say: Gets a line for each layer.

    Raises:
        ConfigError: No step has a target, the target cannot be met, there are no validation
            images, or ``images`` is below 1.
    """
    return _Choice(plan(config), images).choose(say)


class _Choice:
    """A step of a plan, its network, and the images that tell how good a width is."""

    def __init__(self, checked: Plan, images: int) -> None:
        self.plan = checked
        self.name, self.step = _narrowing(checked)
        self.number = 1 + list(checked.steps).index(self.name)
        self.stages = Stages(checked, Store(checked.store))
        self.validation = self.stages.images.validation
        if images < 1 or not len(self.validation):
            raise ConfigError(
                f"widths are chosen on validation images: {images} of {len(self.validation)} "
                "were asked for; give data.validation images and ask for 1 or more"
            )
        self.few = self.validation.take(np.arange(min(images, len(self.validation))))
        self.stages.result(self.number - 1)
        self.network = self.stages.network(self.number - 1)
        example = self.stages.context(self.number).example
        self.layers = self.step.hidden(self.network, example)
        self.full = {layer.name: layer.width for layer in self.layers}

    def choose(self, say: Callable[[str], None]) -> Chosen:
        network, layers, remove = self.network, self.layers, float(self.step.remove or 0)
        uniform = target_widths(keep_that_removes(network, layers, remove), layers)
        before = self._loss(self.full)
        losses = {layer.name: self._curve(layer, before, say) for layer in layers}
        widths = cheapest_widths(network, layers, losses, remove)
        tried = {"before": self.full, "uniform": uniform, "chosen": widths}
        return Chosen(
            plan=self.plan,
            step=self.name,
            layers=layers,
            losses=losses,
            uniform=uniform,
            widths=widths,
            errors={name: self._error(each) for name, each in tried.items()},
            left={name: parameters_at(network, layers, each) for name, each in tried.items()},
            images=len(self.few),
        )

    def _curve(
        self, layer: HiddenLayer, before: float, say: Callable[[str], None]
    ) -> dict[int, float]:
        widths = sorted({1, *(max(1, round(share * layer.width)) for share in SHARES)})
        found = {width: self._loss({layer.name: width}) for width in widths if width < layer.width}
        said = ", ".join(f"{width}: {loss:.3f}" for width, loss in found.items())
        say(f"{layer.name}: loss at {said}, at all {layer.width}: {before:.3f}")
        return {layer.width: before, **found}

    def _loss(self, widths: dict[str, int]) -> float:
        network = self._narrowed(widths, len(self.few))
        return evaluate(network, self.few, self.stages.images).loss

    def _error(self, widths: dict[str, int]) -> float:
        network = self._narrowed(widths, None)
        return evaluate(network, self.validation, self.stages.images).top1_error

    def _narrowed(self, widths: dict[str, int], images: int | None) -> nn.Module:
        """Apply the step at other widths to a copy; with so many images for BatchNorms."""
        context = self.stages.context(self.number)
        keep = {name: width / self.full[name] for name, width in widths.items()}
        if images is not None:
            all_batches, most = context.batches, -(-images // STEP_BATCH)
            context.batches = lambda: islice(all_batches(), most)
        return self.step.with_keep(keep).apply(copy.deepcopy(self.network), context)


def _narrowing(checked: Plan) -> tuple[str, NarrowsLayers]:
    """Give the step with a target, and its name.

    Raises:
        ConfigError: There is none, or more than one.
    """
    named = [
        (name, step)
        for name, step in checked.steps.items()
        if isinstance(step, NarrowsLayers) and step.remove is not None
    ]
    if len(named) != 1:
        raise ConfigError(
            f"method {checked.config['method']['name']} has {len(named)} steps with a target; one "
            "must say what share of the parameters to remove, such as "
            "method.steps.merge.keep=null method.steps.merge.remove=0.9"
        )
    return named[0]
