"""Commands for files: make, inspect, evaluate and convert them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from clusterpress.cli.options import Arch, MaybeArch, MaybeShape, Shape, console, floats


def evaluate(  # noqa: PLR0913 - one option each
    path: Annotated[Path, typer.Argument(help="A compressed file, or a dense state dict.")],
    images: Annotated[
        Path, typer.Option(help="A folder for each class, or ImageNet's flat validation images.")
    ],
    *,
    against: Annotated[
        Path | None, typer.Option(help="The uncompressed network, dense or a file of ours.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="Such as torchvision:resnet18; default what the file says.")
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(help="Names of the classes' folders in the outputs' order.")
    ] = None,
    crop: Annotated[int | None, typer.Option(min=1, help="Side in pixels; the network's.")] = None,
    resize: Annotated[
        int | None, typer.Option(min=1, help="Shorter side before the crop; 256 for 224.")
    ] = None,
    mean: Annotated[str, typer.Option(help="One number a channel; empty for ImageNet's.")] = "",
    std: Annotated[str, typer.Option(help="Likewise.")] = "",
    workers: Annotated[int, typer.Option(min=0, help="Processes that decode.")] = 2,
) -> None:
    """Score a file's network on any folder of labelled images, with 95 % intervals."""
    from clusterpress.runs.post_training import Photographs, score_files, sentences

    means, deviations = floats("--mean", mean), floats("--std", std)
    chosen = Photographs(images, classes, crop, resize, means, deviations, workers)
    for line in sentences(score_files(path, chosen, against=against, arch=arch)):
        console.print(line)


def inspect(
    path: Path,
    kernels: Annotated[
        Path | None, typer.Option(help="Draw the shared kernels to this .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Say what an artifact holds, part by part, without building its network."""
    from clusterpress.results.kernel_figure import draw_kernels
    from clusterpress.runs.inspection import inspection_table

    console.print(inspection_table(path))
    if kernels is not None:
        draw_kernels(path, kernels)
        console.print(f"wrote {kernels}")


def compress(  # noqa: PLR0913 - options of a command
    *,
    weights: Annotated[Path, typer.Argument(help="A safetensors file or torch checkpoint.")],
    arch: Arch,
    output: Annotated[Path, typer.Option("--output", "-o", help="The compressed file.")],
    method: Annotated[str, typer.Option(help="A method; `clusterpress list` names them.")],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A knob, such as cluster.k=128.")
    ] = None,
    shape: MaybeShape = None,
    coder: Annotated[
        Literal["small", "fast"],
        typer.Option(help="The fewest bytes, or read and written faster and a little larger."),
    ] = "small",
    seed: Annotated[int, typer.Option(min=0, help="Root seed.")] = 0,
) -> None:
    """Compress trained weights into one file, without data and so without fine-tuning."""
    from clusterpress.library.commands import compress_file

    for line in compress_file(
        weights,
        arch=arch,
        output=output,
        method=method,
        settings=setting or [],
        shape=shape,
        coder=coder,
        seed=seed,
    ):
        console.print(line)


def decompress(
    path: Path,
    output: Annotated[Path, typer.Option("--output", "-o", help="A dense safetensors file.")],
) -> None:
    """Write the dense weights of a compressed file, for any program that reads safetensors."""
    from clusterpress.library.commands import decompress_file

    console.print(f"wrote {output}: {decompress_file(path, output):,} bytes")


def export(
    path: Path,
    output: Annotated[Path, typer.Option("--output", "-o", help="An ONNX file.")],
    shape: Shape,
    arch: MaybeArch = None,
) -> None:
    """Write a compressed file as ONNX, checked with onnxruntime against torch."""
    from clusterpress.library.commands import export_file

    console.print(f"wrote {output}: {export_file(path, output, shape, arch):,} bytes")
