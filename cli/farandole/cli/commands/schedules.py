"""`farandole schedules`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import CARE


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=CARE)(schedules)


def schedules(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP] [VERB NAME]",
            help="The app, unless --choreography names it; pause, resume, fire or remove, and the schedule.",
        ),
    ] = None,
    choreography: Name = None,
    store: Store = None,
    by: Annotated[str, typer.Option("--by", help="Who does it.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why; it stands in the log, with who did it.")] = "",
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List schedules with their next ticks; pause, resume, fire or remove one.

    Examples:

    - `farandole schedules app:orders`
    - `farandole schedules -c orders pause night`
    """
    from farandole.cli.output import Output
    from farandole.cli.running import run, target
    from farandole.cli.scheduling import govern, listed, read

    app, verb, name = read(words or [], choreography)
    found = target(app, None if app else choreography, store)
    out = Output(json)
    return run(govern(found, verb, name, out, why=why, by=by) if verb is not None else listed(found, out))
