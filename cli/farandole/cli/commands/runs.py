"""`farandole runs`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import RUNS


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(runs)


def runs(
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="The app, unless --choreography names it.")] = None,
    choreography: Name = None,
    store: Store = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            help="Only runs in this state: running, retrying, waiting, failed, completed, …; may be repeated."
        ),
    ] = None,
    type: Annotated[str | None, typer.Option(help="Only runs with this start.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most so many.")] = 20,
    all: Annotated[
        bool, typer.Option("--all", help="Read the whole log: runs closed before the newest checkpoints too.")
    ] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List runs, those that moved last first: what state each is in, what it owes or waits for.

    Examples:

    - `farandole runs app:orders`
    - `farandole runs -c orders --status failed --json`
    """
    from farandole.cli.listing import runs as list_runs
    from farandole.cli.output import Output
    from farandole.cli.running import run, target

    found = target(app, None if app else choreography, store)
    return run(list_runs(found, Output(json), status=status or [], type=type, limit=limit, everything=all))
