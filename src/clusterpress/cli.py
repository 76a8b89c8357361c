"""The commands; each looks up its words and calls what does the work."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from clusterpress.errors import ClusterpressError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reproducible experiments for papers that compress networks by clustering.",
)
console = Console(highlight=False, soft_wrap=True)
FREE = {"allow_extra_args": True, "ignore_unknown_options": True}
Papers = Annotated[list[str] | None, typer.Argument(help="Papers; none means all.")]
Data = Annotated[list[str] | None, typer.Option("--data", help="Data sets; none means all.")]
Arch = Annotated[
    str,
    typer.Option(
        help="The network: resnet20, vgg16(classes=100), torchvision:resnet18, module:factory."
    ),
]
Shape = Annotated[str | None, typer.Option("--input", help="Shape of one input, as 3,224,224.")]
Records = Annotated[Path | None, typer.Option(help="A records.csv instead of the store.")]


def main() -> None:
    """Run the command line; a known error is one sentence and exit code 1."""
    try:
        app()
    except ClusterpressError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]clusterpress:[/] {type(error).__name__}: ", end=""
        )
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(str(error))
        sys.exit(1)


@app.command("list")
def list_() -> None:
    """Name the methods, data sets, models and suite points that there are."""
    from clusterpress.places import folder
    from clusterpress.runs.suites import suite_points

    for group in sorted(path for path in folder("conf").iterdir() if path.is_dir()):
        names = " ".join(sorted(path.stem for path in group.glob("*.yaml")))
        console.print(f"[bold]{group.name}[/]: {names}")
    points = suite_points()
    for suite in sorted({(point.paper, point.data) for point in points}):
        names = " ".join(p.name for p in points if (p.paper, p.data) == suite)
        console.print(f"[bold]suite {suite[0]} on {suite[1]}[/]: {names}")


@app.command(context_settings=FREE)
def validate(context: typer.Context) -> None:
    """Check a config given by overrides, or every suite point and claim; trains nothing."""
    from clusterpress.places import folder
    from clusterpress.results import load_claims
    from clusterpress.runs.compose import compose, sweep_points
    from clusterpress.runs.named import point_config
    from clusterpress.runs.plan import plan
    from clusterpress.runs.suites import suite_points

    if context.args:
        for overrides in sweep_points(context.args):
            checked = plan(compose(overrides))
            console.print(f"valid: {checked.title}, point {checked.point}, run {checked.id}")
        return
    points, claims = suite_points(), load_claims(folder("experiments"))
    for point in points:
        plan(point_config(point.overrides))
    console.print(f"valid: {len(points)} suite points, {len(claims)} claims")


@app.command(context_settings=FREE)
def run(context: typer.Context) -> None:
    """Run one point (overrides such as data=mnist method=han2016), or a sweep with -m."""
    from clusterpress.runs import sweep

    flags = {"-m", "--multirun"} & set(context.args)
    overrides = [argument for argument in context.args if argument not in flags]
    failed = sweep.run_sweep(overrides) if flags else sweep.run_point(overrides)
    raise typer.Exit(failed)


@app.command()
def reproduce(
    papers: Papers = None,
    data: Data = None,
    seeds: Annotated[str, typer.Option(help="Root seeds, such as 0,1,2.")] = "0,1,2",
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 1,
    override: Annotated[list[str] | None, typer.Option("--set", help="Overrides for all.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what there is to do.")] = False,
) -> None:
    """Say what there is to do, run the suites of papers on data sets, print the comparison."""
    from clusterpress.runs.forecast import forecast
    from clusterpress.runs.suite_run import report_failures, run_all
    from clusterpress.runs.suites import chosen, suite_points

    points = chosen(suite_points(), papers or [], data or ["digits"])
    extra = tuple(override or [])
    tasks = [(point.title, (*point.overrides, *extra)) for point in points]
    console.print(forecast([overrides for _, overrides in tasks], _seeds(seeds)).sentence())
    if plan:
        return
    ended = run_all(tasks, _seeds(seeds), jobs)
    _print_comparison(data or ["digits"], None, extra)
    raise typer.Exit(report_failures(ended))


@app.command()
def compare(data: Data = None, records: Records = None) -> None:
    """Print the comparison of our numbers with the papers'."""
    _print_comparison(data or [], records)


@app.command()
def results(
    folder: Annotated[Path, typer.Option(help="Where tables and figures go.")] = Path("results"),
    readme: Annotated[Path, typer.Option(help="Whose block of results is kept.")] = Path(
        "README.md"
    ),
    records: Records = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is stale.")] = False,
    replace: Annotated[bool, typer.Option(help="Drop records that the store lacks.")] = False,
) -> None:
    """Write records.csv, tables, figures and the README's block from the records."""
    from clusterpress.results import comparison, stale, update_readme, write_results

    claims, names = _claims_and_names()
    if check:
        found = stale(claims, names, folder, readme)
        for sentence in found:
            console.print(f"stale: {sentence}")
        raise typer.Exit(1 if found else 0)
    frame = _frame(records)
    for path in write_results(frame, claims, names, folder, replace=replace):
        console.print(f"wrote {path}")
    update_readme(readme, comparison(_frame(folder / "records.csv"), claims, names))


@app.command()
def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The HTML file; its folder must be there.")
    ] = Path("results/report.html"),
    records: Records = None,
) -> None:
    """Write one HTML page of all results, to be opened without a network."""
    from clusterpress.places import folder
    from clusterpress.report import write_report
    from clusterpress.results import load_papers
    from clusterpress.runs.suites import suite_points
    from clusterpress.runs.sweep import store_folder

    size = write_report(
        _frame(records),
        load_papers(folder("experiments")),
        _claims_and_names()[1],
        output,
        commands={(point.paper, point.name): point.overrides for point in suite_points()},
        store=store_folder() if records is None else None,
    )
    console.print(f"wrote {output}: {size:,} bytes")


@app.command()
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

    means, deviations = _floats("--mean", mean), _floats("--std", std)
    chosen = Photographs(images, classes, crop, resize, means, deviations, workers)
    for line in sentences(score_files(path, chosen, against=against, arch=arch)):
        console.print(line)


@app.command()
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


@app.command()
def compress(  # noqa: PLR0913 - options of a command
    *,
    weights: Annotated[Path, typer.Argument(help="A safetensors file or torch checkpoint.")],
    arch: Arch,
    output: Annotated[Path, typer.Option("--output", "-o", help="The compressed file.")],
    method: Annotated[str, typer.Option(help="A method; `clusterpress list` names them.")],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A knob, such as cluster.k=128.")
    ] = None,
    shape: Shape = None,
    seed: Annotated[int, typer.Option(help="Root seed.")] = 0,
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
        seed=seed,
    ):
        console.print(line)


@app.command()
def decompress(
    path: Path,
    output: Annotated[Path, typer.Option("--output", "-o", help="A dense safetensors file.")],
) -> None:
    """Write the dense weights of a compressed file, for any program that reads safetensors."""
    from clusterpress.library import decompress as write

    console.print(f"wrote {output}: {write(path, output):,} bytes")


@app.command()
def export(
    path: Path,
    output: Annotated[Path, typer.Option("--output", "-o", help="An ONNX file.")],
    shape: Shape,
    arch: Arch | None = None,
) -> None:
    """Write a compressed file as ONNX, checked with onnxruntime against torch."""
    from clusterpress.library.commands import export_file

    console.print(f"wrote {output}: {export_file(path, output, shape, arch):,} bytes")


def _seeds(text: str) -> list[int]:
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"--seeds is {text!r}, it must be like 0,1,2") from error


def _floats(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(",") if text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is {text!r}, it must be like 0.5,0.5,0.5") from error


def _claims_and_names(extra: Sequence[str] = ()) -> tuple[Any, Any]:
    from clusterpress.places import folder
    from clusterpress.results import load_claims
    from clusterpress.runs.named import named_points

    return load_claims(folder("experiments")), named_points(extra)


def _frame(records: Path | None, extra: Sequence[str] = ()) -> Any:
    from clusterpress.results import read_csv, read_records
    from clusterpress.runs.sweep import store_folder

    return read_records(store_folder(extra)) if records is None else read_csv(records)


def _print_comparison(data: list[str], records: Path | None, extra: Sequence[str] = ()) -> None:
    from clusterpress.results import comparison
    from clusterpress.results import console as print_comparison

    compared = comparison(_frame(records, extra), *_claims_and_names(extra))
    if data:
        of_data = compared["data"].isin(data) | (
            compared["claim_data"].isin(data) & (compared["n"] == 0)
        )
        compared = compared[of_data]
    print_comparison(compared)


if __name__ == "__main__":
    main()
