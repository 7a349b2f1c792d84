"""`schedules`: what ticks, when, and what people do to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, cast

from rich.text import Text

from farandole.reactors import scheduling
from farandole.reactors.scheduling import ScheduleView

from .errors import CliError
from .output import Output, safe
from .running import Target, attached
from .tables import plain_table
from .words import short

Verb = Literal["pause", "resume", "fire", "remove"]
VERBS: Final = ("pause", "resume", "fire", "remove")


def read(words: Sequence[str], choreography: str | None) -> tuple[str | None, Verb | None, str]:
    """The app, what is to be done, and to which schedule, from the positional words of the command.

    Raises:
        CliError: they make no sense.
    """
    rest = list(words)
    app = rest.pop(0) if choreography is None and rest else None
    if not rest:
        return app, None, ""
    if len(rest) != 2 or rest[0] not in VERBS:
        raise CliError(f"give nothing more to list schedules, or one of {', '.join(VERBS)} and a schedule's name")
    return app, cast("Verb", rest[0]), rest[1]


async def listed(target: Target, out: Output) -> int:
    """Print all schedules."""
    async with attached(target) as client:
        found = await scheduling.schedules(client)
    if out.as_json:
        out.document([_json(view) for view in found])
        return 0
    if not found:
        out.print("no schedule is in the catalogue; a worker whose code declares one puts it there when it starts")
        return 0
    table = plain_table()
    for column in ("schedule", "when", "starts", "overlap", "last", "next", "open"):
        table.add_column(column)
    for view in found:
        table.add_row(
            Text(safe(view.name), style="bold"),
            Text(safe(view.when)),
            Text(safe(short(view.type))),
            view.overlap,
            _time(view.last),
            Text(f"paused{f' by {safe(view.by)}' if view.by else ''}", style="yellow")
            if view.paused
            else Text("\n".join(map(_time, view.next))),
            Text("\n".join(map(safe, view.runs)) + (f"\nthen {_time(view.waiting)}" if view.waiting else "")),
        )
    out.print(table)
    return 0


async def govern(target: Target, verb: Verb, name: str, out: Output, *, why: str, by: str) -> int:
    """Pause a schedule, let it go on, let it tick now, or remove it."""
    started = None
    async with attached(target) as client:
        if verb == "pause":
            await scheduling.pause(client, name, why, by=by)
        elif verb == "resume":
            await scheduling.resume(client, name, why, by=by)
        elif verb == "fire":
            started = await scheduling.fire(client, name, why, by=by)
        else:
            await scheduling.remove(client, name, why, by=by)
    if out.as_json:
        out.document({"schedule": name, "done": verb, "run": started})
    else:
        out.print(f"{name}: {_DONE[verb]}{started or ''}")
    return 0


_DONE: Final = {
    "pause": "paused; runs that are open go on",
    "resume": "goes on; what it missed is not made up for",
    "fire": "ticked; its run, unless its overlap leaves it out: ",
    "remove": "removed; a worker whose code declares it brings it back when it starts",
}


def _time(time: datetime | None) -> str:
    return "" if time is None else time.strftime("%Y-%m-%d %H:%M:%S")


def _json(view: ScheduleView) -> dict[str, Any]:
    return {
        "schedule": view.name,
        "service": view.service,
        "when": view.when,
        "starts": view.type,
        "overlap": view.overlap,
        "paused": view.paused,
        "by": view.by or None,
        "last": view.last,
        "next": list(view.next),
        "open": list(view.runs),
        "waiting": view.waiting,
    }
