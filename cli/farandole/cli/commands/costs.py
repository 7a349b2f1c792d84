"""`farandole costs`."""

from typing import Annotated

import typer

from farandole.cli.options import AsJson, Debug, Name

from .panels import RUNS
from .project import Db


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=RUNS)(costs)


def costs(
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="The app, unless --choreography names it.")] = None,
    choreography: Name = None,
    db: Db = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Sum up by day, agent, model or run; may be repeated. Default: agent, model."),
    ] = None,
    last: Annotated[str | None, typer.Option(help="Only what was used in the last time, as 30d. Default: all.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only this agent.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    of: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only this run, with its child runs.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="At most so many rows.")] = 50,
    json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Say what runs used of models and what it cost, from the tables that `farandole project` keeps.

    Examples:

    - `farandole costs -c desk --db sqlite:///desk.db --last 30d`
    - `farandole costs -c desk --db sqlite:///desk.db --by day --by model --json`
    """
    from farandole.cli.output import Output
    from farandole.cli.projecting import database_url
    from farandole.cli.running import named, run
    from farandole.cli.spending import costs as tell_costs

    found = named(app, None if app else choreography)
    return run(
        tell_costs(
            found.name, database_url(db), Output(json), by=by or ("agent", "model"), last=last, agent=agent, model=model, of=of,
            limit=limit,
        )
    )  # fmt: skip
