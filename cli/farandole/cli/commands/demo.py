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
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Of the dashboard. Default: 8600, or another one if that is taken."),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the dashboard in a browser, if this is a desktop.")] = True,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """See runs in motion: small services in this process, on an embedded log, and the dashboard.

    A bakery takes orders. Cakes bake, wait for the customer's message, and are delivered; the bank does not always
    answer, a card is declined, and a van breaks down until somebody has it mended. A complaint waits for you to decide,
    the mill never answers, and a wedding cake is stuck on purpose: nobody makes its figures.

    Examples:

    - `farandole demo`
    - `farandole demo --once`
    - `farandole demo --once --json`
    """
    from farandole.cli.demo.run import demo as run_demo
    from farandole.cli.output import Output
    from farandole.cli.running import run

    return run(run_demo(store, Output(json), once=once, port=port, browser=browser))
