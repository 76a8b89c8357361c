"""Widths of a merged or pruned network, layer by layer, chosen on the validation split."""

import copy
from collections.abc import Callable
from dataclasses import replace
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
    positions,
    target_widths,
    widths_by_use,
)
from clusterpress.runs.chosen import LOSS, UNIFORM, USE, Chosen
from clusterpress.runs.plan import Plan, plan
from clusterpress.runs.seeds import derive
from clusterpress.runs.stages import STEP_BATCH, Stages
from clusterpress.runs.store import Store
from clusterpress.steps import Finetune, NarrowsLayers
from clusterpress.training.evaluation import evaluate
from clusterpress.training.loop import train
from clusterpress.training.recipe import Recipe

SHARES = (0.75, 0.5, 0.35, 0.25, 0.175, 0.125, 0.0875, 0.0625, 0.03)
"""At which widths each layer is tried, beside one neuron."""


def choose_widths(
    config: DictConfig, images: int = 2000, epochs: int = 0, say: Callable[[str], None] = print
) -> Chosen:
    """Choose widths for a step that merges or removes neurons.

    Every hidden layer alone is made narrower by the step, at each of ``SHARES``, and the loss on
    validation images taken, nothing trained. Statistics of BatchNorms are estimated anew each
    time where the step does, for the losses from as many training images. The baseline and the
    stages before are found in the store or done. Nothing else is written, and no test image has
    a part in what is chosen.

    Args:
        config: A point whose method has one step with a target (``remove``).
        images: Validation images for the losses, the first of the split.
        epochs: How long each candidate is retrained, by the recipe of the step that trains after
            the narrowing: the lowest error on the validation split is chosen. With 0 nothing is
            trained, and the widths by loss are chosen.
        say: Gets a line for each layer, and for each candidate that is retrained.

    Raises:
        ConfigError: No step has a target, the target cannot be met, there are no validation
            images, ``images`` is below 1, or there are epochs but no step that trains after.
    """
    return _Choice(plan(config), images, epochs).choose(say)


class _Choice:
    """A step of a plan, its network, and the images that tell how good a width is."""

    def __init__(self, checked: Plan, images: int, epochs: int) -> None:
        self.plan, self.epochs = checked, epochs
        self.name, self.step = _narrowing(checked)
        self.number = 1 + list(checked.steps).index(self.name)
        self.recipe = _retraining(checked, self.number, epochs) if epochs else None
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
        self.example = self.stages.context(self.number).example
        self.layers = self.step.hidden(self.network, self.example)
        self.full = {layer.name: layer.width for layer in self.layers}

    def choose(self, say: Callable[[str], None]) -> Chosen:
        before = self._loss(self.full)
        losses = {layer.name: self._curve(layer, before, say) for layer in self.layers}
        candidates = self._candidates(losses)
        tried = {"before": self.full, **candidates}
        retrained = {name: self._retrained(name, each, say) for name, each in candidates.items()}
        known = {name: error for name, error in retrained.items() if error is not None}
        return Chosen(
            plan=self.plan,
            step=self.name,
            layers=self.layers,
            losses=losses,
            candidates=candidates,
            best=min(known, key=lambda name: known[name], default=LOSS),
            errors={name: self._error(self._narrowed(each, None)) for name, each in tried.items()},
            retrained=known,
            left={n: parameters_at(self.network, self.layers, w) for n, w in tried.items()},
            images=len(self.few),
            epochs=self.epochs,
        )

    def _candidates(self, losses: dict[str, dict[int, float]]) -> dict[str, dict[str, int]]:
        network, layers, remove = self.network, self.layers, float(self.step.remove or 0)
        uses = positions(network, layers, self.example)
        return {
            UNIFORM: target_widths(keep_that_removes(network, layers, remove), layers),
            LOSS: cheapest_widths(network, layers, losses, remove),
            USE: widths_by_use(network, layers, uses, remove),
        }

    def _retrained(
        self, name: str, widths: dict[str, int], say: Callable[[str], None]
    ) -> float | None:
        if self.recipe is None:
            return None
        network = self._narrowed(widths, None)
        # As the stage that trains after would, had it only so many epochs.
        seed = derive(self.plan.seed_of(self.number + 1), "data", self.number + 1, 0)
        train(network, self.stages.images, self.recipe, seed=seed, settings=self.plan.trainer)
        error = self._error(network)
        say(f"{name}: validation error {error:.2f} % after {self.epochs} epochs")
        return error

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

    def _error(self, network: nn.Module) -> float:
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


def _retraining(checked: Plan, number: int, epochs: int) -> Recipe:
    """Give the recipe of the first step that trains after stage ``number``, made so long.

    Raises:
        ConfigError: There is none, or it cannot be so long.
    """
    for step in list(checked.steps.values())[number:]:
        if isinstance(step, Finetune):
            return replace(step.recipe, epochs=epochs)
    raise ConfigError(
        f"method {checked.config['method']['name']} has no step that trains after the narrowing, "
        f"so nothing can be retrained for {epochs} epochs"
    )
