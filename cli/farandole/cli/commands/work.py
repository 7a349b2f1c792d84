"""`farandole work`."""

from typing import Annotated

import typer

from farandole.cli.options import App, AsJson, Debug, LogFormat, LogLevel, Store
from farandole.cli.processes import FLAG

from .panels import WORK


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=WORK)(work)


def work(
    app: App,
    store: Store = None,
    member: Annotated[
        str | None,
        typer.Option(
            help="A stable name of this process; when it comes back under it, it gets its partitions at once."
        ),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=256, help="So many processes, each a worker.")] = 1,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Bring this code's contracts into force over those of other services.")
    ] = False,
    grace: Annotated[float, typer.Option(min=0, help="Seconds for handlers at work to end, when stopping.")] = 30.0,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serve /metrics, /healthz and /readyz; of several processes, from there on."
        ),
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Where to serve them.")] = "127.0.0.1",
    partitions: Annotated[int | None, typer.Option(min=1, help="Of the log, if it is made now. Default: 16.")] = None,
    log_level: LogLevel = "info",
    log_format: LogFormat = None,
    json: AsJson = False,
    debug: Debug = False,
    parent_pipe: Annotated[int | None, typer.Option(FLAG, hidden=True)] = None,
) -> int:
    """Work until SIGTERM: do what is owed to the app's reactors. The log goes to stderr.

    Examples:

    - `farandole work orders.payments:orders --store kafka://localhost:9092`
    - `farandole work app:orders --processes 4 --member payments-a --metrics-port 9100`
    """
    from farandole.cli.running import run, target, until_interrupted
    from farandole.cli.working import WorkerSettings, work_here, work_together

    settings = WorkerSettings(
        app=app,
        member=member,
        take_over=take_over,
        grace=grace,
        metrics_port=metrics_port,
        metrics_host=metrics_host,
        partitions=partitions,
        log_level="debug" if debug else log_level,
        log_format="json" if json else log_format,
        parent_pipe=parent_pipe,
    )
    found = target(app, None, store)
    if processes > 1:
        return run(work_together(found, settings, processes))
    return until_interrupted(work_here(found, settings))
