"""`farandole cancel`, `retry`, `pause` and `resume`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, By, Debug, Name, Store, Targets, Why

from .panels import CARE


def register(app: typer.Typer) -> None:
    for command in (retry, cancel, pause, resume):
        app.command(rich_help_panel=CARE)(command)


def retry(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP] [RUN]",
            help="The app, unless --choreography names it; then the run's id, unless it is about all runs.",
        ),
    ] = None,
    choreography: Name = None,
    store: Store = None,
    reactor: Annotated[str | None, typer.Option(help="Only steps of this reactor.")] = None,
    edit: Annotated[
        str | None,
        typer.Option(help="Fields that the step's event gets instead, as JSON, @file or - for stdin; the rest stays."),
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option(help="Steps of all runs that failed by this cause; `failures` lists causes.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Steps of all runs.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Of all runs at most so many steps, the oldest first.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="Which of several events the step took is edited.")] = None,
    why: Why = "",
    by: By = "",
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Try parked steps again: those of a run, or of all runs by cause or reactor.

    Examples:

    - `farandole retry app:orders order-17 --why "the bank is back"`
    - `farandole retry app:orders --fingerprint 9c1f --limit 10`
    - `farandole retry app:orders order-17 --edit '{"address": "Paris"}'`
    """
    from farandole.cli.errors import CliError
    from farandole.cli.failing import retry_all
    from farandole.cli.governing import retry as retry_run
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    given = words or []
    of_all = (
        fingerprint is not None or all or limit is not None or (reactor is not None and _no_run(given, choreography))
    )
    if of_all:
        if not _no_run(given, choreography):
            raise CliError("--fingerprint, --all and --limit are about all runs; leave the run out, or them")
        if edit is not None:
            raise CliError("--edit is about one step; name its run")
        if fingerprint is None and reactor is None and not all:
            raise CliError("which steps? Give --fingerprint, --reactor or --all")
        app = given[0] if given else None
        found = target(app, None if app else choreography, store)
        return run(
            retry_all(found, Output(json), fingerprint=fingerprint, reactor=reactor, limit=limit, why=why, by=by)
        )
    app, run_id = split(given, choreography)
    found = target(app, None if app else choreography, store)
    return run(retry_run(found, run_id, Output(json), reactor=reactor, edit=edit, event=event, why=why, by=by))


def _no_run(words: list[str], choreography: str | None) -> bool:
    """Whether the words of a command name no run."""
    return not words or (len(words) == 1 and (choreography is None or ":" in words[0]))


def cancel(
    words: Targets, choreography: Name = None, store: Store = None, why: Why = "", by: By = "", json: AsJson = False,
    debug: Debug = False,
) -> int:  # fmt: skip
    """Bring a run to an end; what it owes is dropped.

    Examples:

    - `farandole cancel app:orders order-17 --why "ordered twice"`
    """
    from farandole.cli.governing import command
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    app, run_id = split(words, choreography)
    found = target(app, None if app else choreography, store)
    return run(command(found, run_id, "cancel", Output(json), why=why, by=by))


def pause(
    words: Targets, choreography: Name = None, store: Store = None, why: Why = "", by: By = "", json: AsJson = False,
    debug: Debug = False,
) -> int:  # fmt: skip
    """Begin no further step of a run, until `resume`."""
    from farandole.cli.governing import command
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    app, run_id = split(words, choreography)
    found = target(app, None if app else choreography, store)
    return run(command(found, run_id, "pause", Output(json), why=why, by=by))


def resume(
    words: Targets, choreography: Name = None, store: Store = None, why: Why = "", by: By = "", json: AsJson = False,
    debug: Debug = False,
) -> int:  # fmt: skip
    """Let a paused run go on."""
    from farandole.cli.governing import command
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    app, run_id = split(words, choreography)
    found = target(app, None if app else choreography, store)
    return run(command(found, run_id, "resume", Output(json), why=why, by=by))
