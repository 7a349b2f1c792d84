"""`farandole check` and `graph`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug

from .panels import TRY

_APPS = Annotated[
    list[str],
    typer.Argument(metavar="APP...", help="One or more of module:attribute: services of one choreography, or several."),
]


class Format(StrEnum):
    """How a graph is drawn."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=TRY)(check)
    app.command(rich_help_panel=TRY)(graph)


def check(apps: _APPS, json: AsJson = False, debug: Debug = False) -> int:
    """Look through the code for what cannot work: events that nobody takes or emits, joins that cannot complete, runs that cannot end. 1 if there is an error.

    Examples:

    - `farandole check app:orders`
    - `farandole check orders.payments:orders orders.shipping:orders`
    """
    from farandole.cli.graphing import check as look_through
    from farandole.cli.output import Output

    return look_through(apps, Output(json))


def graph(
    apps: _APPS,
    format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Default: by the name of the file; else mermaid."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Draw who takes what and who emits it, from the code.

    Examples:

    - `farandole graph app:orders -o orders.svg`
    - `farandole graph app:orders --format dot | dot -Tpdf -o orders.pdf`
    """
    from farandole.cli.graphing import draw
    from farandole.cli.output import Output

    return draw(apps, Output(json), None if format is None else format.value, file)
