"""`farandole retire`."""

import sys
from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import CARE


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=CARE)(retire)


def retire(
    words: Annotated[
        list[str], typer.Argument(metavar="[APP] REACTOR", help="The app, unless --choreography names it; the reactor.")
    ],
    choreography: Name = None,
    store: Store = None,
    drop: Annotated[
        bool, typer.Option("--drop/--keep", help="Drop what it owes, or keep that owed to whoever has its code.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before dropping.")] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Retire a reactor: nothing new is owed to it.

    Examples:

    - `farandole retire app:orders ship --keep`
    - `farandole retire -c orders ship --drop`
    """
    from farandole.cli.governing import retire as retire_reactor
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    app, reactor = split(words, choreography)
    found = target(app, None if app else choreography, store)
    if drop and not yes and not json and sys.stdin.isatty():
        typer.confirm(f"Drop all that {reactor} owes? It cannot be undone", abort=True)
    return run(retire_reactor(found, reactor, Output(json), drop=drop))
