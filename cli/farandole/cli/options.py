"""Arguments and options that several commands take."""

from typing import Annotated, Literal

import typer

from . import output

App = Annotated[
    str, typer.Argument(metavar="APP", help="Your choreography: module:attribute, or path/to/file.py:attribute.")
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        "-s",
        metavar="URL",
        envvar="FARANDOLE_STORE",
        show_envvar=False,
        help="The log: kafka://host:9092, sqlite:///file.db. Default: $FARANDOLE_STORE.",
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--choreography",
        "-c",
        metavar="NAME",
        envvar="FARANDOLE_CHOREOGRAPHY",
        show_envvar=False,
        help="The choreography by name, where its code is not at hand. Default: $FARANDOLE_CHOREOGRAPHY.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for other programs.")]
Debug = Annotated[
    bool, typer.Option("--debug", callback=output.debug, help="Show the traceback of an error.", show_default=False)
]
Level = Literal["debug", "info", "warning", "error"]
LogLevel = Annotated[Level, typer.Option(help="The least that is logged.")]
Format = Literal["text", "json"]
LogFormat = Annotated[Format | None, typer.Option(help="Default: text at a terminal, else JSON lines.")]
Targets = Annotated[
    list[str],
    typer.Argument(metavar="[APP] RUN", help="The app, unless --choreography names it; then the run's id."),
]
Why = Annotated[str, typer.Option("--why", help="The reason, for the run's history.")]
By = Annotated[str, typer.Option("--by", help="Who asks, for the run's history.", envvar="USER", show_envvar=False)]
