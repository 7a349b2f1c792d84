"""`farandole cancel`, `retry`, `pause` and `resume`."""

import sys
from typing import Annotated, Literal

import typer

from farandole.cli.errors import CliError
from farandole.cli.options import AsJson, By, Debug, Name, Store, Why

from .panels import CARE

SomeTargets = Annotated[
    list[str] | None,
    typer.Argument(metavar="[APP] [RUN]", help="The app, unless --choreography names it; then the run's id."),
]
Switched = Annotated[str | None, typer.Option("--reactor", help="Every step of this reactor, in every run.")]
AllReactors = Annotated[bool, typer.Option("--all", help="Every step of every reactor, in every run.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before.")]


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
    words: SomeTargets = None, choreography: Name = None, store: Store = None,
    all: Annotated[bool, typer.Option("--all", help="Every run that is not closed, or those of --status.")] = False,
    status: Annotated[list[str] | None, typer.Option(help="With --all: only runs in this state.")] = None,
    yes: Yes = False, why: Why = "", by: By = "", json: AsJson = False, debug: Debug = False,
) -> int:  # fmt: skip
    """Bring a run to an end, or many; what they owe is dropped.

    Examples:

    - `farandole cancel app:orders order-17 --why "ordered twice"`
    - `farandole cancel app:orders --all --status waiting --why "the shop closes"`
    """
    from farandole.cli.governing import cancel_all, command
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    if status and not all:
        raise CliError("--status picks among all runs; say --all too")
    if all:
        found = target(app_alone(words, choreography, "--all"), choreography, store)
        if not yes and not json and sys.stdin.isatty():
            which = f"{' and '.join(status)} " if status else ""
            typer.confirm(f"Cancel all {which}runs of {found.choreography.name}? It cannot be undone", abort=True)
        return run(cancel_all(found, Output(json), status=status or [], why=why, by=by))
    app, run_id = split(words or [], choreography)
    found = target(app, None if app else choreography, store)
    return run(command(found, run_id, "cancel", Output(json), why=why, by=by))


def pause(
    words: SomeTargets = None, choreography: Name = None, store: Store = None, reactor: Switched = None,
    all: AllReactors = False, why: Why = "", by: By = "", json: AsJson = False, debug: Debug = False,
) -> int:  # fmt: skip
    """Begin no further step of a run, of a reactor, or of anything, until `resume`.

    Examples:

    - `farandole pause app:orders order-17`
    - `farandole pause app:orders --reactor ship --why "the depot burns"`
    """
    return _hold(words, choreography, store, "pause", reactor, all, why, by, json)


def resume(
    words: SomeTargets = None, choreography: Name = None, store: Store = None, reactor: Switched = None,
    all: AllReactors = False, why: Why = "", by: By = "", json: AsJson = False, debug: Debug = False,
) -> int:  # fmt: skip
    """Let a run, a reactor, or everything go on that was paused.

    Examples:

    - `farandole resume app:orders --reactor ship`
    """
    return _hold(words, choreography, store, "resume", reactor, all, why, by, json)


def _hold(
    words: list[str] | None, choreography: str | None, store: str | None, verb: Literal["pause", "resume"],
    reactor: str | None, all: bool, why: str, by: str, json: bool,
) -> int:  # fmt: skip
    from farandole.cli.governing import command, switch
    from farandole.cli.output import Output
    from farandole.cli.running import run, split, target

    if reactor is not None and all:
        raise CliError("--reactor or --all, not both")
    if reactor is not None or all:
        found = target(app_alone(words, choreography, "--all" if all else "--reactor"), choreography, store)
        return run(switch(found, reactor, Output(json), stopped=verb == "pause", why=why, by=by))
    app, run_id = split(words or [], choreography)
    return run(command(target(app, None if app else choreography, store), run_id, verb, Output(json), why=why, by=by))


def app_alone(words: list[str] | None, choreography: str | None, option: str) -> str | None:
    """The app, where no run is named.

    Raises:
        CliError: more is named.
    """
    if len(words or []) > 1:
        raise CliError(f"with {option} no run is named; give the app alone")
    return words[0] if words else None
