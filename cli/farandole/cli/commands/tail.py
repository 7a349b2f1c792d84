"""`farandole tail`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import RUNS


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(tail)


def tail(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[APP] [RUN]", help="The app, unless --choreography names it; then a run, or all."),
    ] = None,
    choreography: Name = None,
    store: Store = None,
    last: Annotated[
        int | None,
        typer.Option("--last", "-n", min=0, help="So many of the records before. Default: 10; of one run, all."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more.")] = True,
    live: Annotated[
        bool, typer.Option("--live", help="Of one run: what its steps say while they are at work, such as tokens, too.")
    ] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Follow events as they come: of all runs until Ctrl-C, of one run until it is closed.

    Examples:

    - `farandole tail app:orders`
    - `farandole tail -c orders order-17 --json`
    - `farandole tail app:desk talk-3 --live`
    """
    from farandole.cli.errors import CliError
    from farandole.cli.following import tail as tail_runs
    from farandole.cli.output import Output
    from farandole.cli.running import target, until_interrupted

    given = list(words or [])
    if len(given) > 2:
        raise CliError("give an app (or --choreography NAME), and at most one run")
    app = given.pop(0) if given and (choreography is None or len(given) == 2) else None
    run_id = given[0] if given else None
    if live and run_id is None:
        raise CliError("--live tells what the steps of one run say: name the run")
    found = target(app, None if app else choreography, store)
    before = last if last is not None or run_id is not None else 10
    return until_interrupted(tail_runs(found, run_id, Output(json), last=before, follow=follow, live=live))
