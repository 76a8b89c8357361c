"""Options that several commands share, and where commands print."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True)
FREE = {"allow_extra_args": True, "ignore_unknown_options": True}
Papers = Annotated[list[str] | None, typer.Argument(help="Papers; none means all.")]
Data = Annotated[list[str] | None, typer.Option("--data", help="Data sets; none means all.")]
_ARCH = typer.Option(
    help="The network: resnet20, vgg16(classes=100), torchvision:resnet18, module:factory."
)
_SHAPE = typer.Option("--input", help="Shape of one input, as 3,224,224.")
# With a default of None; of ``Arch | None`` typer would not see the option's name and help.
Arch = Annotated[str, _ARCH]
MaybeArch = Annotated[str | None, _ARCH]
Shape = Annotated[str, _SHAPE]
MaybeShape = Annotated[str | None, _SHAPE]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Overrides for all points; hydra/launcher=ray and the like say where they run.",
    ),
]
Records = Annotated[Path | None, typer.Option(help="A records.csv instead of the store.")]

StoreFolder = Annotated[
    Path | None, typer.Option("--store", help="A store; CLUSTERPRESS_STORE, or runs.")
]


def days(text: str) -> float:
    """Read an age such as ``30d`` or ``12h`` as days."""
    units = {"d": 1.0, "h": 1 / 24}
    try:
        number = float(text[:-1]) * units[text[-1:]]
    except (ValueError, KeyError) as error:
        raise typer.BadParameter(f"--older-than is {text!r}, it must be like 30d or 12h") from error
    if not 0 <= number < float("inf"):
        raise typer.BadParameter(f"--older-than is {text!r}, it must be 0 or more")
    return number


def floats(option: str, text: str) -> tuple[float, ...]:
    """Read the numbers of an option such as ``0.5,0.5,0.5``."""
    try:
        return tuple(float(number) for number in text.split(",") if text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} is {text!r}, it must be like 0.5,0.5,0.5") from error
