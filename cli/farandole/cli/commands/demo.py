"""`farandole demo`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug

from .panels import TRY


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=TRY)(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Run six runs to their ends, print a summary, exit.")] = False,
    store: Annotated[
        str | None, typer.Option("--store", "-s", metavar="URL", help="The log. Default: a new SQLite file.")
    ] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """See runs in motion: three small services in this process, on an embedded log.

    A bakery takes orders. Cakes bake, wait for the customer's message, and are delivered; the bank does not always
    answer, a card is declined, and a van breaks down until somebody has it mended.

    Examples:

    - `farandole demo`
    - `farandole demo --once`
    - `farandole demo --once --json`
    """
    from farandole.cli.demo.run import demo as run_demo
    from farandole.cli.output import Output
    from farandole.cli.running import run

    return run(run_demo(store, Output(json), once=once))
