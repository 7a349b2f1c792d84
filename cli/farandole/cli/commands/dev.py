"""`farandole dev`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug
from farandole.cli.processes import FLAG

from .panels import TRY


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=TRY)(dev)
    app.command(name="dev-worker", hidden=True)(dev_worker)


def dev(
    apps: Annotated[list[str], typer.Argument(metavar="APP...", help="One or more of module:attribute.")],
    store: Annotated[
        str | None,
        typer.Option("--store", "-s", metavar="URL", help="The log. Default: sqlite:///.farandole/dev.db"),
    ] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Develop: a worker on an embedded log, started anew when the code changes, and every event as it comes.

    Examples:

    - `farandole dev app:orders`
    - `farandole dev orders.payments:orders orders.shipping:orders`
    """
    from farandole.cli.developing import dev_store, develop
    from farandole.cli.output import Output
    from farandole.cli.running import run

    return run(develop(apps, dev_store(store), Output(json)))


def dev_worker(
    app: str,
    store: Annotated[str, typer.Option(envvar="FARANDOLE_STORE")],
    quiet: bool = False,
    json: AsJson = False,
    parent_pipe: Annotated[int | None, typer.Option(FLAG)] = None,
) -> int:
    """One worker of `farandole dev`."""
    from farandole.cli.developing import dev_worker as work
    from farandole.cli.output import Output
    from farandole.cli.running import target, until_interrupted

    return until_interrupted(work(target(app, None, store), Output(json), quiet=quiet, parent_pipe=parent_pipe))
