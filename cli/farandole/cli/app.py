"""All commands, by what they are for. Light to import: each command imports what it needs when it runs."""

from typing import Annotated

import typer

from .commands import (
    archive,
    chat,
    costs,
    demo,
    dev,
    doctor,
    failures,
    govern,
    graph,
    people,
    project,
    projections,
    retire,
    runs,
    schedules,
    serve,
    settings,
    show,
    start,
    tail,
    work,
)

app = typer.Typer(
    name="farandole",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"farandole {version('farandole')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Event-sourced choreography: runs are event streams, reactors react, the log is the arbiter.

    Try it: `farandole demo`. For your own code: `farandole dev app:orders`.

    Set FARANDOLE_STORE and FARANDOLE_CHOREOGRAPHY to leave out --store and --choreography.
    """


for group in (
    demo, dev, graph, work, project, projections, serve, start, chat, runs, show, tail, people, failures, costs, govern, retire, schedules,
    settings,
    archive, doctor,
):  # fmt: skip
    group.register(app)
