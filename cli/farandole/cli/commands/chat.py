"""`farandole chat`."""

from typing import Annotated

import typer

from farandole.cli.options import Debug, Store

from .panels import RUNS


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(chat)


def chat(
    app: Annotated[
        str, typer.Argument(metavar="APP", help="The agent: module:attribute, or path/to/file.py:attribute.")
    ],
    store: Store = None,
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="The conversation to go on with.")] = None,
    work: Annotated[
        bool | None,
        typer.Option("--work/--no-work", help="Work the choreography in this process. Default: if no store is named."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who answers questions.", envvar="USER", show_envvar=False)] = "",
    debug: Debug = False,
) -> int:
    """Talk with an agent: each message is an event, the reply comes word by word, and what needs leave is asked here.

    The conversation is a run in the log, and `--run` goes on with it. Without a store it is the one of `farandole dev`.

    Examples:

    - `farandole chat app:helper`
    - `farandole chat app:helper --store kafka://localhost:9092 --run 4be1…`
    """
    from farandole.cli.chatting import chat as talk
    from farandole.cli.output import Output
    from farandole.cli.running import until_interrupted
    from farandole.cli.talkable import load_agent

    return until_interrupted(talk(load_agent(app), app, store, run, Output(), by=by or "somebody", works=work))
