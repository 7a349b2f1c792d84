"""`farandole inbox` and `decide`."""

import sys
from typing import Annotated

import typer

from farandole.cli.options import App, AsJson, Debug, Name, Store

from .panels import RUNS


def register(app: typer.Typer) -> None:
    for command in (inbox, decide):
        app.command(rich_help_panel=RUNS)(command)


def inbox(
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="The app, unless --choreography names it.")] = None,
    choreography: Name = None,
    store: Store = None,
    to: Annotated[
        str | None, typer.Option(help="Only what asks this person or role (role:editor), or anybody.")
    ] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List what runs ask people, the oldest question first.

    Examples:

    - `farandole inbox app:docs --to ann`
    """
    from farandole.cli.asking import inbox as list_questions
    from farandole.cli.output import Output
    from farandole.cli.running import run, target

    return run(list_questions(target(app, None if app else choreography, store), Output(json), to=to))


def decide(
    app: App,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="The name of an Answer.")],
    fields: Annotated[
        str, typer.Argument(metavar="JSON", help="Its fields as a JSON object; @file reads a file, - reads stdin.")
    ] = "{}",
    store: Store = None,
    decision: Annotated[str | None, typer.Option(help="The question's id, where the run asks several.")] = None,
    by: Annotated[str, typer.Option("--by", help="Who answers.", envvar="USER", show_envvar=False)] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show the question and ask first.")] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Answer what a run asks. At a terminal the question is shown first.

    Examples:

    - `farandole decide app:docs d-7 Approved --by ann`
    - `farandole decide app:docs d-7 Rejected '{"reason": "too long"}' --by ann`
    """
    from farandole.cli.asking import decide as answer_question
    from farandole.cli.output import Output
    from farandole.cli.running import run, target

    ask = not yes and not json and sys.stdin.isatty()
    found = target(app, None, store)
    return run(answer_question(found, run_id, answer, fields, Output(json), decision=decision, by=by, ask=ask))
