"""`farandole doctor`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import CARE


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=CARE)(doctor)


def doctor(
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="Look at its log as well.")] = None,
    choreography: Name = None,
    store: Store = None,
    everything: Annotated[bool, typer.Option("--all", help="Read the log through, however long it is.")] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Check installation, store and log: what is wrong, and its cure. 1 if something will not work.

    Examples:

    - `farandole doctor --store kafka://localhost:9092`
    - `farandole doctor app:orders`
    """
    from farandole.cli.checkup import doctor as check_up
    from farandole.cli.output import Output
    from farandole.cli.running import run, store_url, target

    found = target(app, None if app else choreography, store).choreography if app or choreography else None
    return run(check_up(store_url(store), found, Output(json), everything=everything))
