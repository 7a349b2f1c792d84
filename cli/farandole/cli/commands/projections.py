"""`farandole projections`."""

import sys
from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name, Store

from .panels import CARE
from .project import Db


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=CARE)(projections)


def projections(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP] [drop NAME]",
            help="The app, unless --choreography names it; drop, and the projection that nobody wants any more.",
        ),
    ] = None,
    choreography: Name = None,
    store: Store = None,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before dropping.")] = False,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """List the projections that apps declare: how far each is, whether it stopped, and who keeps it; or remove one.

    Examples:

    - `farandole projections -c orders --db postgresql://localhost/farandole`
    - `farandole projections -c orders drop OrdersPerDay --db postgresql://localhost/farandole`
    """
    from farandole.cli.output import Output
    from farandole.cli.projecting import database_url
    from farandole.cli.projections import dropped, listed, read
    from farandole.cli.running import run, target

    app, name = read(words or [], choreography)
    found, url, out = target(app, None if app else choreography, store), database_url(db), Output(json)
    if name is None:
        return run(listed(found, url, out))
    if not yes and not json and sys.stdin.isatty():
        typer.confirm(f"Drop {name} and its tables? Only the log can bring them back", abort=True)
    return run(dropped(found, url, name, out))
