"""Cluster convolution kernels: all layers of a set share K kernels, each used with a scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import (
    Clusters,
    KernelClusters,
    Options,
    kmeans,
    transform_invariant,
)
from clusterpress.codes import Kernels, KernelSet, attach
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import before_steps, foresee, refuse_pruned
from clusterpress.steps.kept_values import dense_weight, mask_of, require_unpruned
from clusterpress.steps.kernel_sets import (
    KernelLayer,
    Sets,
    fewer,
    kernel_sets,
    named_sets,
    sizes,
)
from clusterpress.steps.per_layer import require_whole
from clusterpress.steps.share import tell_fewer
from clusterpress.steps.widths import reestimated
from clusterpress.suggest import by_name

DTYPES = {"float32": torch.float32, "float16": torch.float16}
CHOICES: dict[str, tuple[object, ...]] = {
    "transforms": (1, 2, 4, 8),
    "scales": (True, False),
    "init": ("kmeans++", "random"),
    "dtype": tuple(DTYPES),
    "reestimate": (True, False),
    "exact": (True, False),
}
MOST = 1 << 16
ROUNDING = 2.0**-11  # Of a number to float16, relative.


@dataclass(eq=False)
class ClusterKernels:
    """Transform-invariant k-means of normalised kernels (Son et al. 2018, section 3).

    A kernel w is normalised by ``s = sign(w[centre]) |w|``, with sign(0) = +1; one of norm zero is
    left out and stays zero, as is one whose norm float16 rounds to zero. The assignment is frozen;
    centroids and scales go on learning.
    Grouped and depthwise convolutions are clustered like others; 1x1 convolutions are left alone.

    Remembers in the context's facts: ``relative_squared_error`` of the weights by layer,
    ``centroids`` and ``kernels`` by set; and ``reestimation_images``.

    Args:
        k: Number of centroids of every set, 1 to 65,536, or by the name of the set. One number
            for several sets is cut to a set's kernels where it has fewer; one set must have as
            many.
        transforms: T: 1; 2 for the horizontal flip; 4 for both flips; 8 for rotations too.
        scales: Whether kernels are normalised and have scales; False is the paper's variant N.
        sets: ``network``: one set for all kernels of one size, called ``3x3`` and so on; ``layer``:
            a set for each layer, called as the layer; or lists of layers by names of one's own
            (the paper's M2: the first ten convolutions of VGG-16, and the last three). Layers in
            no list are left alone.
        init: ``kmeans++``, or ``random`` for K different kernels as in the paper's code.
        restarts: Starts of k-means, of which the best counts.
        max_iterations: Most iterations of a start; 4,500 in the paper's code.
        dtype: ``float32`` or ``float16``, in which centroids are stored and computed with.
        reestimate: Whether the statistics of all BatchNorms are estimated anew at the end, on
            training images (10,000 at most); not in the paper, and much of the loss before
            fine-tuning.
        exact: Whether a set of fewer kernels than centroids is refused; else each of its kernels
            has a centroid of its own.

    Raises:
        ConfigError: A knob is outside its range.
    """

    version: ClassVar[int] = 1

    k: int | Mapping[str, int] = 256
    transforms: int = 1
    scales: bool = True
    sets: Sets = "network"
    init: str = "kmeans++"
    restarts: int = 1
    max_iterations: int = 300
    dtype: str = "float32"
    reestimate: bool = False
    exact: bool = True

    def __post_init__(self) -> None:
        for value in self.k.values() if isinstance(self.k, Mapping) else [self.k]:
            require_whole(value, 1, MOST, "ClusterKernels: k")
        if isinstance(self.k, Mapping):
            self.k = by_name(self.k, "ClusterKernels: k")
        self.sets = named_sets(self.sets)
        require_whole(self.restarts, 1, MOST, "ClusterKernels: restarts")
        require_whole(self.max_iterations, 1, MOST, "ClusterKernels: max_iterations")
        for knob, choices in CHOICES.items():
            value = getattr(self, knob)
            if value not in choices or type(value) is not type(choices[0]):
                shown = ", ".join(map(str, choices))
                raise ConfigError(f"ClusterKernels: {knob}={value!r} is not one of {shown}")

    def check(self, network: nn.Module) -> None:
        """Refuse sets that the network does not have, and more centroids than kernels.

        Also pruned layers, but for those with kernels of zeros: it may be these that are pruned.

        Raises:
            ConfigError: The set, and what would be right.
        """
        found = kernel_sets(network, self.sets, self.transforms)
        counts = {name: sum(map(_kernels, layers)) for name, layers in found.items()}
        sizes(self.k, counts, self.exact)
        clustered = [layer for layers in found.values() for layer in layers]
        whole = [one.name for one in clustered if not _has_zero_kernels(one.name, network)]
        refuse_pruned(whole, network, "ClusterKernels")
        foresee(coded=[layer.name for layer in clustered])

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Cluster in place and return the network.

        Raises:
            ConfigError: As ``check``; of kernels of norm zero there are too many; or kernels of
                norm zero, which variant N cannot leave out; or kernels pruned in part. Or
                ``reestimate`` is on and the context has no training images.
            DataError: A weight is NaN or infinite, a kernel's norm is beyond float16, or kernels
                that float16 rounds to zero are more than its rounding of a layer; it is named.
        """
        found = kernel_sets(network, self.sets, self.transforms)
        gathered = {
            name: [_Normalised(one, self.scales) for one in ls] for name, ls in found.items()
        }
        counts = {name: sum(len(g.units) for g in gs) for name, gs in gathered.items()}
        asked = sizes(self.k, counts, self.exact)
        tell_fewer(context, fewer(self.k, asked))
        errors: dict[str, float] = {}
        held: dict[str, int] = {}
        for number, (name, parts) in enumerate(gathered.items()):
            rng = np.random.default_rng([context.clustering, number])
            clusters = self._clusters(np.concatenate([p.units for p in parts]), asked[name], rng)
            held[name] = len(clusters.centers)
            errors |= self._attach(parts, clusters)
        context.facts["relative_squared_error"] = errors
        context.facts["centroids"], context.facts["kernels"] = held, counts
        if self.reestimate:
            reestimated(network, context)
        return network

    def _clusters(self, units: np.ndarray, k: int, rng: np.random.Generator) -> Clusters:
        options = Options(
            init=self.init, restarts=self.restarts, max_iterations=self.max_iterations
        )
        if self.transforms == 1:
            return kmeans(units.reshape(len(units), -1), k, rng=rng, **options)
        return transform_invariant(units, k, transforms=self.transforms, rng=rng, **options)

    def _attach(self, parts: Sequence["_Normalised"], clusters: Clusters) -> dict[str, float]:
        """Give every layer its code; give the relative squared errors of the weights."""
        centers = torch.from_numpy(clusters.centers).float().flatten(1)
        shared, errors, start = KernelSet(centers, DTYPES[self.dtype]), {}, 0
        for part in parts:
            chosen = slice(start, start + len(part.units))
            start = chosen.stop
            weight = part.weight
            code = Kernels(
                part.placed(clusters.labels[chosen]),
                shared,
                tuple(weight.shape),
                transforms=self._turned(part, clusters, chosen),
                mask=None if part.mask.all() else part.mask.reshape(weight.shape[:2]),
                scaled=self.scales,
            )
            original = part.scales.reshape(weight.shape[:2]) if self.scales else torch.empty(0)
            own = None if weight.dtype == torch.float32 else weight.dtype
            device = weight.device
            attach(part.layer.module, "weight", code.to(device), original.to(device), own)
            errors[part.layer.name] = _relative_error(weight, part.layer.module.weight)
        return errors

    def _turned(
        self, part: "_Normalised", clusters: Clusters, chosen: slice
    ) -> torch.Tensor | None:
        if not isinstance(clusters, KernelClusters):
            return None
        return part.placed(clusters.transforms[chosen])


class _Normalised:
    """A layer's kernels of unit norm, its scales, and where kernels are that are left out.

    Attributes:
        units: Normalised kernels that are kept, float32, shape (n, h, w).
        scales: Signed norm of every kernel, float32, shape (O I,); ones without scales.
        mask: Which kernels are kept, bool, shape (O I,).
    """

    def __init__(self, layer: KernelLayer, scaled: bool) -> None:
        self.layer, self.weight = layer, dense_weight(layer.name, layer.module)
        mask = mask_of(layer.module)
        if mask is not None and bool((mask != mask[:, :, :1, :1]).any()):
            require_unpruned(layer.name, layer.module, "ClusterKernels")
        kernels = self.weight.float().cpu().flatten(0, 1)
        norms = torch.linalg.vector_norm(kernels.double(), dim=(1, 2))
        if not scaled:
            self.mask = norms > 0
            self._refuse_zeros()
            self.scales, self.units = torch.ones(len(kernels)), kernels.numpy()
            return
        middle = kernels[:, kernels.shape[1] // 2, kernels.shape[2] // 2]
        signed = torch.where(middle < 0, -norms, norms)
        self.scales = signed.float()
        _require_in_range(layer.name, norms)
        self.mask = norms.half() > 0
        kept = kernels[self.mask].double() / signed[self.mask, None, None]
        self.units = kept.float().numpy()

    def placed(self, values: np.ndarray) -> torch.Tensor:
        """Give the kept kernels their values and the others 0, int64, shape (O I,)."""
        everywhere = torch.zeros(len(self.mask), dtype=torch.int64)
        everywhere[self.mask] = torch.from_numpy(np.asarray(values, dtype=np.int64))
        return everywhere

    def _refuse_zeros(self) -> None:
        zeros = int((~self.mask).sum())
        if zeros:
            raise ConfigError(
                f"layer {self.layer.name!r} has {zeros} kernels of norm zero, which without scales "
                "cannot be left out of the clustering; take scales=true"
            )


def _require_in_range(name: str, norms: torch.Tensor) -> None:
    """Refuse norms that are infinite as float16, or zero and more than float16's own rounding.

    A neuron without gradient decays until its kernels are too small for a scale. They change no
    output and are left out, where together they are at most 2^-11 of the layer's norm.
    """
    scales = norms.half()
    lost = norms[scales == 0]
    small = lost.square().sum() > norms.square().sum() * ROUNDING**2
    beyond = norms[torch.isinf(scales)] if not small else lost[lost > 0]
    if len(beyond):
        raise DataError(
            f"layer {name!r} has a kernel of norm {float(beyond[0]):.3g}, which no scale of "
            "float16 holds (6e-8 to 65,504); rescale the layer, or take scales=false"
        )


def _kernels(layer: KernelLayer) -> int:
    return int(np.prod(layer.module.weight.shape[:2]))


def _has_zero_kernels(name: str, network: nn.Module) -> bool:
    """Say whether a convolution has kernels of zeros, of neurons too that may yet be removed."""
    weight = before_steps(name, network).weight
    assert isinstance(weight, torch.Tensor)
    return bool((weight == 0).flatten(2).all(dim=2).any())


def _relative_error(weight: torch.Tensor, coded: torch.Tensor) -> float:
    energy = float(weight.double().square().sum())
    return float((coded.detach() - weight).double().square().sum()) / energy if energy else 0.0
