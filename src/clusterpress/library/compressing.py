"""Compress a network: copy it, do a method's steps, say what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from clusterpress import artifact
from clusterpress.codes import weight_layers
from clusterpress.data.batches import Batches, fitting_batch
from clusterpress.data.images import ImageSet, Split, digest
from clusterpress.errors import ConfigError
from clusterpress.library.checks import (
    check_architecture,
    check_images,
    checked_example,
    checked_seed,
    checked_trainer,
    copied,
    with_modes_of,
)
from clusterpress.library.compressed import Compressed
from clusterpress.library.methods import Recipes, listed_steps, named_steps
from clusterpress.library.precision import narrowed, widened
from clusterpress.merging import estimates
from clusterpress.runs.seeds import derive
from clusterpress.steps import (
    Checked,
    Context,
    Finetune,
    MergeNeurons,
    PruneNeurons,
    Reinitialize,
    Step,
)
from clusterpress.steps.example import example_of
from clusterpress.steps.foresight import check_in_order
from clusterpress.steps.product_quantize import LEFT_ALONE
from clusterpress.steps.share import FEWER
from clusterpress.training.loop import train
from clusterpress.training.recipe import Recipe
from clusterpress.training.settings import TrainerSettings

Data = ImageSet | tuple[torch.Tensor, torch.Tensor]
BATCH = 500
NOTHING = (
    "no weight was compressed: the network has no Linear or Conv2d layer with a weight that is "
    "its own alone"
)
_TRACED = (MergeNeurons, PruneNeurons)


def compress(  # noqa: PLR0913 - a network, a method, and what either may need
    model: nn.Module,
    method: str | Sequence[Step] = "son2018",
    data: Data | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    recipe: Recipes | None = None,
    example: torch.Tensor | None = None,
    seed: int = 0,
    trainer: TrainerSettings | None = None,
    architecture: Mapping[str, Any] | None = None,
) -> Compressed:
    """Compress a copy of a network by a method; the network itself is not changed.

    Every linear and 2-D convolution layer may be compressed. Weights that another module holds
    too, buffers and all other parameters are kept exactly, and so are the dtypes of networks in
    half or double precision: steps compute in float32, and the layers go on in their own dtype.

    Args:
        model: Any network; codes that hold its weights already are built upon.
        method: Name of a method (``clusterpress list``), or steps in order.
        data: What fine-tuning trains on: uint8 images (N, C, H, W) with int64 labels (N,), or an
            ``ImageSet``, which says how images are normalised. None leaves all training out.
        settings: Knobs of a named method by ``step.knob``, such as ``{"cluster.k": 128}``.
        recipe: How a named method trains: one recipe, or by the names of ``schema.RecipeConfig``.
        example: One normalised batch, of any float dtype, shape (1, C, H, W), for methods that
            merge or prune neurons; with ``data`` not needed, nor where the network says the size
            of its images by ``image_size``.
        seed: Root seed of all that is random, 0 or more.
        trainer: Where training runs.
        architecture: ``{"name": ..., "args": {...}}`` of ``clusterpress.models.MODELS``, for
            ``load`` without a network.

    Returns:
        The compressed network, what was left out, and its size.

    Raises:
        ConfigError: The method, a setting, the architecture or the network does not fit, or
            another argument is none such as this.
        DataError: A weight is not finite, images and labels are not as they should be, or a label
            is none of the network's outputs.
    """
    steps = _steps(method, settings, recipe)
    images = None if data is None else _as_images(data)
    network = copied(model).eval()
    reference = artifact.elements(model)
    if architecture is not None:
        check_architecture(model, architecture)
    dtypes = widened(network)
    work = _Work(network, images, example, seed, checked_trainer(trainer))
    if images is not None:
        check_images(network, images)
    work.check(network, steps)
    for number, (name, step) in enumerate(steps.items(), 1):
        network = work.do(network, number, name, step)
    narrowed(network, dtypes)
    with_modes_of(model, network)
    named = method if isinstance(method, str) else ", ".join(steps)
    left_out = tuple(work.left_out)
    return Compressed(network, named, left_out, work.facts, reference, architecture)


class _Work:
    """Does steps one after the other."""

    def __init__(
        self,
        network: nn.Module,
        images: ImageSet | None,
        example: torch.Tensor | None,
        seed: int,
        trainer: TrainerSettings | None,
    ) -> None:
        self.images, self.seed, self.trainer = images, checked_seed(seed), trainer
        if example is not None:  # In the dtype that the network has while steps work on it.
            self.example: torch.Tensor | None = checked_example(example).float()
        else:
            self.example = example_of(network) if images is None else torch.zeros(1, *images.shape)
        self.left_out: list[str] = []
        self.facts: dict[str, dict[str, Any]] = {}

    def check(self, network: nn.Module, steps: Mapping[str, Step]) -> None:
        """Refuse what cannot be done in this order before any of it has taken time."""
        if next(weight_layers(network), None) is None:
            self.left_out.append(NOTHING)
        for name, step in steps.items():
            self._require(name, step)
            if self.images is None and getattr(step, "reestimate", False) and estimates(network):
                raise ConfigError(
                    f"{name} estimates BatchNorm's statistics from images: give data, or leave "
                    "reestimate off"
                )
        check_in_order(network, steps, self.example)

    def do(self, network: nn.Module, number: int, name: str, step: Step) -> nn.Module:
        if self.images is None and isinstance(step, Finetune):
            self.left_out.append(f"{name} was left out: it trains, and no data were given")
            return network
        if isinstance(step, Checked):
            step.check(network)
        context = self._context(number, name)
        network = step.apply(network, context)
        self.facts[name] = context.facts
        for layer, k in context.facts.get(FEWER, {}).items():
            self.left_out.append(f"{name}: {layer!r} is small and has {k} centroids")
        for layer in context.facts.get(LEFT_ALONE, ()):
            self.left_out.append(f"{name}: {layer!r} stays as it is: blocks do not divide its rows")
        return network

    def _require(self, name: str, step: Step) -> None:
        if self.images is None and isinstance(step, Reinitialize):
            raise ConfigError(f"{name} draws new weights, which are worth nothing without data")
        if self.example is None and isinstance(step, _TRACED):
            raise ConfigError(
                f"{name} follows a batch through the network: give data, or a batch as example= "
                "(its shape by --input 3,224,224 on the command line)"
            )

    def _context(self, number: int, name: str) -> Context:
        calls = iter(range(1_000_000))

        def run(network: nn.Module, recipe: Recipe) -> None:
            call = next(calls)
            if self.images is None:
                if not call:
                    self.left_out.append(f"{name} did not train: no data were given")
                return
            order = derive(self.seed, "data", number, call)
            train(network, self.images, recipe, seed=order, settings=self.trainer)

        context = Context(
            train=run,
            example=torch.empty(0) if self.example is None else self.example,
            clustering=derive(self.seed, "clustering", number),
        )
        if self.images is not None:
            images = self.images
            order = derive(self.seed, "data", number, -1)
            context.batches = lambda: (
                images.normalize(batch)
                for batch, _ in Batches(images.train, fitting_batch(BATCH, images.shape), order)
            )
        return context


def _steps(
    method: str | Sequence[Step], settings: Mapping[str, Any] | None, recipe: Recipes | None
) -> dict[str, Step]:
    if isinstance(method, str):
        return named_steps(method, settings, recipe)
    if settings or recipe:
        raise ConfigError("settings and recipe are for a method by name; steps have their own")
    return listed_steps(method)


def _as_images(data: Data) -> ImageSet:
    if isinstance(data, ImageSet):
        return data
    if not (isinstance(data, tuple) and len(data) == 2 and all(map(torch.is_tensor, data))):
        raise ConfigError(
            f"data is a {type(data).__name__}, it must be (images, labels) or an ImageSet"
        )
    split = Split(*data)
    empty = Split(split.images[:0], split.labels[:0])
    classes = int(split.labels.max()) + 1 if len(split) else 0
    return ImageSet("the given data", classes, split, empty, empty, digest(split))
