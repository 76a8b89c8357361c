"""Commands that look after a store: what goes on in it, and what nobody needs any more."""

from typing import Annotated

import typer

from clusterpress.cli.options import StoreFolder, console, days


def status(
    store: StoreFolder = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Say how far the runs are that go on in a store, from any terminal or machine."""
    from clusterpress.runs.status import show_status
    from clusterpress.schema import default_store

    show_status(store or default_store(), console, watch=watch)


def clean(
    store: StoreFolder = None,
    older_than: Annotated[str, typer.Option(help="Least age, such as 30d or 12h.")] = "30d",
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; else it is only listed.")] = False,
) -> None:
    """List what killed and abandoned work left in a store, and remove it with --yes."""
    from clusterpress.runs.clean import leftovers, remove, sentences
    from clusterpress.runs.store import existing
    from clusterpress.schema import default_store

    cleaned = existing(store or default_store())
    found = leftovers(cleaned, days(older_than))
    for line in sentences(found):
        console.print(line, markup=False)
    if yes:
        console.print(f"removed {remove(found):,} bytes")
    elif found:
        console.print("nothing was removed; --yes removes it")
