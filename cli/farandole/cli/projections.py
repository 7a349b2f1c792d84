"""`projections`: those that apps declare, as they stand in a database, and the removal of one that nobody wants any more."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from farandole.eventstore import EventStore

from .errors import CliError
from .output import Output, safe
from .projecting import opened
from .running import PATIENCE, Target
from .tables import plain_table

if TYPE_CHECKING:
    from farandole.projections.runs import Database
    from farandole.projections.runs.query import ProjectionRow

DROP: Final = "drop"
_ONLY: Final = f"give nothing more to list projections, or {DROP} and a projection's name"


def read(words: Sequence[str], choreography: str | None) -> tuple[str | None, str | None]:
    """The app, and the projection that is to be removed, from the positional words of the command.

    Raises:
        CliError: they make no sense.
    """
    rest = list(words)
    app = rest.pop(0) if choreography is None and rest else None
    if not rest:
        return app, None
    if len(rest) != 2 or rest[0] != DROP:
        raise CliError(_ONLY)
    return app, rest[1]


async def listed(target: Target, db: str, out: Output) -> int:
    """Print all projections of a database."""
    async with opened(target, db) as (store, database):
        found = await _standing(target.choreography.name, store, database)
    if out.as_json:
        out.document([{**asdict(each), "behind": behind} for each, behind in found])
        return 0
    if not found:
        out.print(f"{database.url} has no projection; a projector of an app that declares one makes it")
        return 0
    table = plain_table()
    for column in ("projection", "version", "state", "behind", "passed over", "kept by"):
        table.add_column(column)
    for each, behind in found:
        table.add_row(
            Text(safe(each.name), style="bold"),
            str(each.version),
            Text(each.state, style="red" if each.state == "stopped" else "green"),
            "–" if behind is None else f"{behind:,}",
            f"{each.passed_over:,}",
            _keepers(each),
        )
    out.print(table)
    for each, _ in found:
        if each.error:
            out.print(Text(safe(each.error), style="red"), soft_wrap=True)
    return 0


async def dropped(target: Target, db: str, name: str, out: Output) -> int:
    """Remove a projection from a database."""
    async with opened(target, db) as (_, database):
        from farandole.projections.custom.dropping import drop_projection

        gone = await drop_projection(database, name)
    if out.as_json:
        out.document({"projection": name, "done": DROP, "tables": list(gone)})
    else:
        tables = f", with {', '.join(gone)}" if gone else ""
        out.print(f"{safe(name)}: removed{safe(tables)}; a projector of an app that declares it makes it anew")
    return 0


async def _standing(
    choreography: str, store: EventStore, database: "Database"
) -> "Sequence[tuple[ProjectionRow, int | None]]":
    from farandole.projections.runs.behind import each_behind
    from farandole.projections.runs.query.projections import projections

    def look() -> "tuple[ProjectionRow, ...]":
        with database.reading() as connection:
            return projections(connection, database.schema)

    return await each_behind(await asyncio.to_thread(look), choreography, store, patience=PATIENCE)


def _keepers(each: "ProjectionRow") -> Any:
    if each.kept is None:
        return Text("not known", style="dim")
    return Text("\n".join(map(safe, each.kept_by))) if each.kept else Text("nobody", style="yellow")
