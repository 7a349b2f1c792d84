"""`farandole settings`."""

import sys
from typing import Annotated

import typer

from farandole.cli.options import AsJson, By, Debug, Name, Store, Why

from .panels import CARE


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=CARE)(settings)


def settings(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP] [NAME VALUE]", help="The app, unless --choreography names it; a setting and its new value."
        ),
    ] = None,
    choreography: Name = None,
    store: Store = None,
    fold_version: Annotated[
        int | None, typer.Option(help="Raise the fold version; every worker must know it before.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before raising the fold version.")] = False,
    why: Why = "",
    by: By = "",
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Show what the log goes by, or change it.

    Examples:

    - `farandole settings app:orders`
    - `farandole settings app:orders expire_after 30d --why "nobody comes back after a month"`
    """
    from farandole.cli.errors import CliError
    from farandole.cli.output import Output
    from farandole.cli.running import run, target
    from farandole.cli.setting import put, put_version
    from farandole.cli.setting import settings as show

    given = list(words or ())
    app = given.pop(0) if len(given) % 2 else None
    if len(given) > 2 or (given and fold_version is not None):
        raise CliError("give one setting and its value, or --fold-version, or nothing to see what is in force")
    found = target(app, None if app else choreography, store)
    if fold_version is not None:
        if not yes and not json and sys.stdin.isatty():
            typer.confirm(f"Workers that do not know fold version {fold_version} stop. Do all know it?", abort=True)
        return run(put_version(found, Output(json), fold_version, why=why, by=by))
    if given:
        return run(put(found, Output(json), given[0], given[1], why=why, by=by))
    return run(show(found, Output(json)))
