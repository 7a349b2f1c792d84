"""`farandole cancel`, `retry`, `pause` and `resume`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, By, Debug, Name, Store, Targets, Why

from .panels import CARE


def register(app: typer.Typer) -> None:
    for command in (retry, cancel, pause, resume):
        app.command(rich_help_panel=CARE)(command)


def retry(
    words: Targets,
    choreography: Name = None,
    store: Store = None,
    reactor: Annotated[str | None, typer.Option(help="Only steps of this reactor.")] = None,
    edit: Annotated[
        str | None,
        typer.Option(help="Fields that the step's event gets instead, as JSON, @file or - for stdin; the rest stays."),
    ] = None,
    event: Annotated[str | None, typer.Option(help="Which of several events the step took is edited.")] = None,
    why: Why = "",
    by: By = "",
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Try a run's parked steps again.

    Examples:

    - `farandole retry app:orders order-17 --why "the bank is back"`
    - `farandole retry app:orders order-17 --edit '{"address": "Paris"}'`
    """
    from farandole.cli.governing import retry as retry_run
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    app, run_id = split(words, choreography)
    found = target(app, None if app else choreography, store)
    return run(retry_run(found, run_id, Output(json), reactor=reactor, edit=edit, event=event, why=why, by=by))


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
