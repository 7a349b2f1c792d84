"""`farandole show` and `status`."""

from pathlib import Path
from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store, Targets

from .panels import RUNS


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(show)
    app.command(rich_help_panel=RUNS)(status)


def show(
    words: Targets,
    choreography: Name = None,
    store: Store = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Every record as it is in the log: headers, ids, whole values.")
    ] = False,
    archive: Annotated[
        Path | None, typer.Option("--archive", metavar="DIR", help="Look into the files that farandole archive wrote.")
    ] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Show a run from its start to now: each event, who emitted it, how long that worked and waited, what failed.

    Events are decoded by the log's own schemas, so that the app's code is not needed.

    Examples:

    - `farandole show app:orders order-17`
    - `farandole show -c orders order-17 --raw`
    - `farandole show -c orders order-17 --archive /backup/orders`
    """
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target
    from farandole.cli.showing import show as show_run

    app, run_id = split(words, choreography)
    if archive is not None:
        from farandole.cli.archived import show as show_archived

        return run(show_archived(app, choreography, run_id, archive, Output(json), raw=raw))
    return run(show_run(target(app, None if app else choreography, store), run_id, Output(json), raw=raw))


def status(
    words: Targets, choreography: Name = None, store: Store = None, json: AsJson = False, debug: Debug = False
) -> int:
    """Say what state a run is in, and what it owes or waits for.

    Examples:

    - `farandole status app:orders order-17 --json`
    """
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target
    from farandole.cli.showing import status as run_status

    app, run_id = split(words, choreography)
    return run(run_status(target(app, None if app else choreography, store), run_id, Output(json)))
