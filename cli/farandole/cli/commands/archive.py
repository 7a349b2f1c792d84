"""`farandole archive`."""

from pathlib import Path
from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import CARE


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=CARE)(archive)


def archive(
    to: Annotated[Path, typer.Option("--to", help="A directory for the files.")],
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="The app, unless --choreography names it.")] = None,
    choreography: Name = None,
    store: Store = None,
    before: Annotated[
        str | None, typer.Option(help="Archive nothing younger than this date, as 2026-01-31 (UTC).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would leave the log, and do nothing.")] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Move records that no open run needs from the log to files.

    Each partition is cut at a checkpoint, below the start of every open run. Files are Avro containers; each is read
    back before anything is deleted.

    Examples:

    - `farandole archive app:orders --to /backup/orders --dry-run`
    - `farandole archive -c orders --to /backup/orders --before 2026-01-31`
    """
    from farandole.cli.archiving import archive as archive_log
    from farandole.cli.output import Output
    from farandole.cli.running import run, target

    found = target(app, None if app else choreography, store)
    return run(archive_log(found, Output(json), to=to, before=before, dry=dry_run))
