"""Score a file's network on any folder of labelled images, beside the uncompressed one."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from clusterpress import artifact
from clusterpress.artifact.container import is_artifact
from clusterpress.codes import dense_copy
from clusterpress.data.file_images import Reading
from clusterpress.data.imagenet import MEAN, STD
from clusterpress.data.labelled import LabelledImages, read_labelled
from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.models.named import Named, network_named, recorded
from clusterpress.training.evaluation import Evaluation, evaluate
from clusterpress.training.proportions import Share, paired_change, wilson

# Photographs are resized a little larger than what is cut out of their middle.
LARGER, FROM = 256 / 224, 224


@dataclass(frozen=True)
class Photographs:
    """A folder of labelled images, and how they become what the network takes.

    Attributes:
        folder: The folder; see ``data.labelled.read_labelled``.
        classes: A file with the names of the classes' folders, one a line, in the order of the
            outputs; needed where not every class has a folder.
        crop: Side of the square in pixels; None follows the network.
        resize: The shorter side before; None 256 for 224, and ``crop`` for smaller images.
        mean: One number a channel, in units of 255; empty for ImageNet's.
        std: Likewise.
        workers: Processes that decode.
    """

    folder: Path
    classes: Path | None = None
    crop: int | None = None
    resize: int | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    workers: int = 0


@dataclass(frozen=True)
class Scores:
    """What one network did.

    Attributes:
        n: Number of images.
        top1: Share of images whose class is the largest logit.
        top5: Share of images whose class is among the five largest.
    """

    n: int
    top1: Share
    top5: Share


@dataclass(frozen=True)
class Compared:
    """What a network did, and how it differs from another one.

    Attributes:
        ours: The network of the file.
        theirs: The other one, or None.
        agreement: Share of images that both put into one class.
        change: Our top-1 minus theirs, paired by image, in points.
    """

    ours: Scores
    theirs: Scores | None = None
    agreement: Share | None = None
    change: Share | None = None


def score_files(
    path: Path,
    images: Photographs,
    *,
    against: Path | None = None,
    arch: str | None = None,
) -> Compared:
    """Score the network of a file on a folder of labelled images.

    Args:
        path: An artifact, or a dense state dict.
        images: What to score it on.
        against: The uncompressed network: a dense state dict or an artifact.
        arch: The architecture's name; None takes what the artifact records.

    Raises:
        ArtifactError: A file is missing or damaged, or does not fit the architecture.
        ConfigError: No architecture is known, the network does not take the images, or outputs
            and classes do not fit.
        DataError: The folder holds no labelled images, or one is damaged.
    """
    named = _named(path, arch)
    data = _data(named, images)
    ours = _score(path, named, data)
    if against is None:
        return Compared(_scores(ours, data))
    return _compared(ours, _score(against, named, data), data)


def _named(path: Path, arch: str | None) -> Named:
    """Find the network to build; where it is the recorded one, with the recorded arguments."""
    known = artifact.read(path).architecture if is_artifact(path) else None
    if arch is not None:
        named = network_named(arch)
        own = None if named.architecture is None else named.architecture["name"]
        if known is None or known["name"] != own or named.arguments:
            return named
        return recorded(known)
    if known is None or known["name"] not in MODELS:
        raise ConfigError(
            f"{path} does not say which network it is of; give --arch, such as torchvision:resnet18"
        )
    return recorded(known)


def _data(named: Named, chosen: Photographs) -> LabelledImages:
    channels = _channels(named)
    crop = chosen.crop or getattr(named.builder, "image_size", (FROM, FROM))[0]
    resize = chosen.resize or (round(crop * LARGER) if crop >= FROM else crop)
    if resize < crop:
        raise ConfigError(f"resize is {resize}, it must be at least crop, which is {crop}")
    if channels != len(MEAN) and not (chosen.mean and chosen.std):
        raise ConfigError(f"mean and std must be given: the network takes {channels} channel(s)")
    return read_labelled(
        chosen.folder,
        Reading(channels, resize, crop),
        mean=chosen.mean or MEAN,
        std=chosen.std or STD,
        classes=[] if chosen.classes is None else _lines(chosen.classes),
        workers=chosen.workers,
    )


def _channels(named: Named) -> int:
    """Give what the network takes; of one that does not say, an image's three."""
    parameter = inspect.signature(named.builder).parameters.get("channels")
    default = parameter.default if parameter is not None else None
    channels = named.arguments.get("channels", default)
    return channels if isinstance(channels, int) else 3


def _score(path: Path, named: Named, data: LabelledImages) -> Evaluation:
    network = dense_copy(_network(path, named)).float().eval()
    outputs = _outputs(network, data)
    if outputs != data.classes:
        raise ConfigError(
            f"the network of {path} has {outputs} outputs, {data.name} has {data.classes} classes; "
            "give --classes, a file with the name of each output's folder"
        )
    return evaluate(network, data.split, data)


def _outputs(network: nn.Module, data: LabelledImages) -> int:
    shape = tuple(data.split.shape)
    try:
        with torch.inference_mode():
            logits = network(torch.zeros(1, *shape))
            _, outputs = logits.shape
    except Exception as error:  # Whatever somebody's forward() raises, or gives for logits.
        raise ConfigError(
            f"{type(network).__name__} does not give logits (1, classes) for an image of shape "
            f"{shape}; see --crop: {error}"
        ) from error
    return int(outputs)


def _network(path: Path, named: Named) -> nn.Module:
    if is_artifact(path):
        return artifact.load(path, into=named.build())
    return named.trained(path)


def _scores(found: Evaluation, data: LabelledImages) -> Scores:
    n = len(data.split)
    top1, top5 = (n - round(error * n / 100) for error in (found.top1_error, found.top5_error))
    return Scores(n, wilson(top1, n), wilson(top5, n))


def _compared(ours: Evaluation, theirs: Evaluation, data: LabelledImages) -> Compared:
    n, labels = len(data.split), data.split.labels
    mine, other = ours.predictions == labels, theirs.predictions == labels
    same = int((ours.predictions == theirs.predictions).sum())
    change = paired_change(int((mine & ~other).sum()), int((other & ~mine).sum()), n)
    return Compared(_scores(ours, data), _scores(theirs, data), wilson(same, n), change)


def _lines(path: Path) -> Sequence[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the list of classes {path} cannot be read: {error}") from error
    names = [line.strip() for line in lines if line.strip()]
    double = sorted({name for name in names if names.count(name) > 1})
    if double or not names:
        what = f"has {double[0]!r} twice" if double else "is empty"
        raise ConfigError(f"the list of classes {path} {what}")
    return names


def sentences(compared: Compared) -> list[str]:
    """Say it in lines for people."""
    lines = [f"images: {compared.ours.n:,}", *_lines_of("", compared.ours)]
    if compared.theirs is not None:
        lines += _lines_of("uncompressed ", compared.theirs)
        lines += [
            f"agreement with it: {compared.agreement}",
            f"change of top-1: {_points(compared)}",
        ]
    return lines


def _lines_of(whose: str, scores: Scores) -> list[str]:
    return [f"{whose}top-1: {scores.top1}", f"{whose}top-5: {scores.top5}"]


def _points(compared: Compared) -> str:
    change = compared.change
    assert change is not None
    return f"{change.percent:+.2f} points (95 %: {change.low:+.2f} to {change.high:+.2f})"
