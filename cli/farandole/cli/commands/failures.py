"""`farandole failures`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import RUNS


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(failures)


def failures(
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="The app, unless --choreography names it.")] = None,
    choreography: Name = None,
    store: Store = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List what failed for good and is parked, by reactor and cause.

    Examples:

    - `farandole failures app:orders`
    """
    from farandole.cli.failing import failures as list_failures
    from farandole.cli.output import Output
    from farandole.cli.running import run, target

    return run(list_failures(target(app, None if app else choreography, store), Output(json)))
