"""The command that chooses the widths of a merged or pruned network."""

import json
import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from clusterpress.cli.options import console

if TYPE_CHECKING:
    from clusterpress.runs.chosen import Chosen


def widths(
    context: typer.Context,
    images: Annotated[
        int, typer.Option(min=1, help="Validation images that tell how much a layer matters.")
    ] = 2000,
    epochs: Annotated[
        int,
        typer.Option(min=0, help="Retrain every candidate so long, and choose by its error then."),
    ] = 0,
) -> None:
    """Choose how wide each layer of a merged network stays, on the validation split.

    Overrides as for run; the method's step says what share of the parameters goes, such as
    method.steps.merge.keep=null method.steps.merge.remove=0.9. Trains nothing but the baseline, and
    with --epochs the networks of three kinds of widths: uniform, by loss, and by use (wider where
    weights are applied at more places of an image).
    """
    from clusterpress.runs.compose import compose
    from clusterpress.runs.widths import choose_widths
    from clusterpress.sweeps.hydra_keys import check_hydra

    check_hydra(context.args, sweep=False)
    chosen = choose_widths(compose(context.args), images, epochs, console.print)
    _print(chosen)
    console.print("Use them with:", markup=False)
    console.print(
        shlex.join(["clusterpress", "run", *_overrides(context.args, chosen)]), markup=False
    )


def _print(chosen: "Chosen") -> None:
    table = Table("layer", "neurons", *chosen.candidates, title=chosen.plan.title)
    for layer in chosen.layers:
        cells = (layer.width, *(widths[layer.name] for widths in chosen.candidates.values()))
        table.add_row(layer.name, *map(str, cells))
    table.add_section()
    table.add_row("parameters", *(f"{number:,}" for number in chosen.left.values()))
    table.add_row("validation error, %", *(f"{error:.2f}" for error in chosen.errors.values()))
    if chosen.retrained:
        errors = (f"{error:.2f}" for error in chosen.retrained.values())
        table.add_row(f"after {chosen.epochs} epochs, %", "", *errors)
    console.print(table)
    console.print(
        f"Widths by loss are chosen by that on {chosen.images:,} validation images; errors are "
        "those on the whole validation split. "
        + (
            f"The lowest after {chosen.epochs} epochs has the widths {chosen.best}."
            if chosen.retrained
            else "Nothing was trained after merging or removing, which tells little where "
            "much goes: --epochs retrains the candidates."
        )
    )


def _overrides(given: list[str], chosen: "Chosen") -> list[str]:
    """Give the overrides of the point with the chosen widths in place of the target."""
    step = f"method.steps.{chosen.step}"
    keep = json.dumps(chosen.keep, separators=(",", ":")).replace('"', "")
    ours = (f"{step}.keep", f"{step}.remove", "selected")
    kept = [line for line in given if line.lstrip("+").split("=", 1)[0] not in ours]
    return [*kept, f"{step}.remove=null", f"{step}.keep={keep}", "selected=true"]
