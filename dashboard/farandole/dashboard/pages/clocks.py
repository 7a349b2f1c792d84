"""`/timers`: what comes by itself: timers, deadlines of decisions and runs, and schedules."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, and_, select

from farandole.projections.runs import tables as t
from farandole.reactors.scheduling import schedules

from .site import now, page, position_of
from .words import short

router = APIRouter()
_MOST = 200


@dataclass(frozen=True, slots=True)
class Due:
    """Something that comes at a time."""

    due: int
    run_id: str
    what: str
    kind: str
    since: int | None


def coming(connection: Connection) -> list[Due]:
    """What comes next, in all runs."""
    ti, d, r = t.timers.c, t.decisions.c, t.runs.c
    of_timer = t.timers.join(t.runs, and_(r.partition == ti.partition, r.run == ti.run))
    of_decision = t.decisions.join(t.runs, and_(r.partition == d.partition, r.run == d.run))
    timers = select(ti.due, r.run_id, ti.type, ti.since).select_from(of_timer).where(ti.state == "open").order_by(ti.due).limit(_MOST)  # fmt: skip
    asked = (
        select(d.expires, r.run_id, d.otherwise, d.since)
        .select_from(of_decision)
        .where(d.state == "open", d.expires.is_not(None))
        .order_by(d.expires)
        .limit(_MOST)
    )
    ends = select(r.deadline, r.run_id, r.type, r.started).where(r.closed.is_(None), r.deadline.is_not(None)).order_by(r.deadline).limit(_MOST)  # fmt: skip
    found = [Due(*row[:2], short(row[2]), "timer", row[3]) for row in connection.execute(timers)]
    found += [Due(*row[:2], short(row[2]), "if nobody answers", row[3]) for row in connection.execute(asked)]
    found += [Due(*row[:2], short(row[2]), "deadline of the run", row[3]) for row in connection.execute(ends)]
    return sorted(found, key=lambda each: each.due)[:_MOST]


@router.get("/timers")
async def timers(request: Request) -> HTMLResponse:
    desk = request.app.state.desk
    found = await desk.runs.ask(coming, position_of(request))
    views = await schedules(desk.client)
    ms = [
        (
            view,
            None if view.last is None else int(view.last.timestamp() * 1000),
            [int(at.timestamp() * 1000) for at in view.next],
        )
        for view in views
    ]
    return await page(request, "timers.html", fresh=found.fresh, coming=found.found, schedules=ms, most=_MOST, at=now())


@router.get("/schedules")
async def both(request: Request) -> HTMLResponse:
    return await timers(request)
