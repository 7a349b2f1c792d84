"""`farandole project`, `rebuild` and `verify`."""

from pathlib import Path
from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, LogFormat, LogLevel, Name, Store

from .panels import CARE, WORK

Maybe = Annotated[
    str | None,
    typer.Argument(metavar="[APP]", help="The app, unless --choreography names it; it has the payload codec."),
]
Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        envvar="FARANDOLE_DB",
        show_envvar=False,
        help="The tables: sqlite:///runs.db, postgresql://user@host/database. Default: $FARANDOLE_DB.",
    ),
]
One = Annotated[
    str | None, typer.Option("--projection", metavar="NAME", help="A projection of the app, not the tables of runs.")
]
Archive = Annotated[
    Path | None,
    typer.Option(
        metavar="DIRECTORY", help="Where projections of the app read what has left the log (`farandole archive`)."
    ),
]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=WORK)(project)
    app.command(rich_help_panel=CARE)(rebuild)
    app.command(rich_help_panel=CARE)(verify)


def project(
    app: Maybe = None,
    choreography: Name = None,
    store: Store = None,
    db: Db = None,
    keep: Annotated[
        str | None, typer.Option(help="So long closed runs stay in the tables, as 90d. Default: for ever.")
    ] = None,
    projection: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Keep this projection of the app, and no tables of runs. Can be repeated."),
    ] = None,
    archive: Archive = None,
    log_level: LogLevel = "info",
    log_format: LogFormat = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Keep the tables of runs until SIGTERM: every run, step and record, for SQL; and the app's own projections.

    The log goes to stderr.

    Examples:

    - `farandole project -c orders --store kafka://localhost:9092 --db sqlite:///orders.db`
    - `farandole project app:orders --db postgresql://localhost/farandole --keep 90d`
    """
    from farandole.cli.projecting import database_url
    from farandole.cli.projecting import project as keep_tables
    from farandole.cli.running import target, until_interrupted
    from farandole.schemas import parse_duration

    found = target(app, None if app else choreography, store)
    least = None if keep is None else round(parse_duration(keep).total_seconds() * 1000)
    level, form = "debug" if debug else log_level, "json" if json else log_format
    return until_interrupted(
        keep_tables(
            found,
            database_url(db),
            keep=least,
            only=projection or (),
            archive=archive,
            log_level=level,
            log_format=form,
        )
    )


def rebuild(
    app: Maybe = None,
    choreography: Name = None,
    store: Store = None,
    db: Db = None,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="So many processes read and write; PostgreSQL only.")
    ] = 1,
    projection: One = None,
    archive: Archive = None,
    json: AsJson = False,
    debug: Debug = False,
    part: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> int:
    """Make the tables of runs anew from the log, beside those in use, and put them in their place at once.

    Examples:

    - `farandole rebuild -c orders --store kafka://localhost:9092 --db sqlite:///orders.db`
    - `farandole rebuild app:orders --projection OrdersPerDay --db postgresql://localhost/farandole`
    """
    from farandole.cli.output import Output
    from farandole.cli.projecting import database_url
    from farandole.cli.projecting import rebuild as make_anew
    from farandole.cli.running import run, target

    found = target(app, None if app else choreography, store)
    return run(
        make_anew(
            found, app, database_url(db), Output(json),
            processes=processes, part=part, only=projection, archive=archive,
        )
    )  # fmt: skip


def verify(
    app: Maybe = None,
    choreography: Name = None,
    store: Store = None,
    db: Db = None,
    projection: One = None,
    archive: Archive = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Fold the log again, and compare the tables of runs with it, row for row. 1 if they differ.

    Example: `farandole verify -c orders --store kafka://localhost:9092 --db sqlite:///orders.db`
    """
    from farandole.cli.output import Output
    from farandole.cli.projecting import database_url
    from farandole.cli.projecting import verify as compare
    from farandole.cli.running import run, target

    found = target(app, None if app else choreography, store)
    return run(compare(found, database_url(db), Output(json), only=projection, archive=archive))
