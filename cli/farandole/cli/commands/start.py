"""`farandole start` and `send`."""

from typing import Annotated

import typer

from farandole.cli.options import App, AsJson, Debug, Store

from .panels import RUNS

_JSON = "Its fields as a JSON object; @file reads a file, - reads stdin."


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(start)
    app.command(rich_help_panel=RUNS)(send)


def start(
    app: App,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The name of a Start.")],
    fields: Annotated[str, typer.Argument(metavar="JSON", help=_JSON)] = "{}",
    store: Store = None,
    run_id: Annotated[
        str | None, typer.Option(help="The run's id: the same twice makes one run. Default: random.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result; 1 if the run fails.")] = False,
    timeout: Annotated[str | None, typer.Option(help="Wait no longer than so, such as 30s or 5m.")] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Start a run, or find that it was started before.

    Examples:

    - `farandole start app:orders OrderPlaced '{"customer": "Ada"}' --run-id order-17 --wait`
    - `farandole start app:orders OrderPlaced @order.json`
    """
    from farandole.cli.output import Output
    from farandole.cli.running import run, target
    from farandole.cli.starting import start as start_run

    found = target(app, None, store)
    return run(
        start_run(found, event, fields, Output(json), run_id=run_id, wait=wait or timeout is not None, timeout=timeout)
    )


def send(
    app: App,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="The name of a Signal.")],
    fields: Annotated[str, typer.Argument(metavar="JSON", help=_JSON)] = "{}",
    store: Store = None,
    within: Annotated[str, typer.Option(help="If the log takes it later than so, it does not act.")] = "10m",
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Send a signal into an open run.

    Examples:

    - `farandole send app:orders order-17 AddressChanged '{"address": "2 Mill Lane"}'`
    """
    from farandole.cli.output import Output
    from farandole.cli.running import run, target
    from farandole.cli.starting import send as send_signal

    return run(send_signal(target(app, None, store), run_id, signal, fields, Output(json), within=within))
