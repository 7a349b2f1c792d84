"""`/reactors`: who serves what, how fast, and who is behind. `/projections`: how far the tables are."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, select

from farandole.dashboard.lagging import lag_of, projections_of
from farandole.eventstore import StoreError
from farandole.projections.runs import tables as t
from farandole.projections.runs.query import MinuteRow, Where
from farandole.projections.runs.query.governing import services_of

from .mapping import MINUTES
from .site import error_page, now, page, position_of

router = APIRouter()
_MINUTE: Final = 60_000
_HOUR: Final = 60
_MOMENT: Final = 0.25


@router.get("/reactors")
async def reactors(request: Request) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    found = await desk.runs.reactors(minutes=MINUTES, min_position=position_of(request))
    since = at - at % _MINUTE - (_HOUR - 1) * _MINUTE
    minutes = (await desk.runs.minutes(since, since + _HOUR * _MINUTE)).found
    lines = {
        row.reactor: spark([each for each in minutes if each.reactor == row.reactor], since) for row in found.found
    }
    names = sorted({row.service for row in found.found})
    active = {row.service: row for row in services_of(found.found)}
    lag = await lag_of(desk, within=_MOMENT)
    members = dict(zip(names, await asyncio.gather(*(_members(desk, name) for name in names)), strict=True))
    stopped = {policy.reactor: policy for policy in (await desk.runs.policies()).found if policy.stopped}
    return await page(
        request, "reactors.html", fresh=found.fresh, reactors=found.found, members=members, lines=lines, stopped=stopped,
        minutes=MINUTES, services={name: active.get(name) for name in names}, behind=(lag and lag.records) or 0,
    )  # fmt: skip


async def _members(desk: Any, service: str) -> list[str] | None:
    """Who is at work for a service; None: that cannot be told."""
    try:
        found = await desk.store.members(service)
    except StoreError:
        return None
    return None if found is None else sorted(found)


def spark(minutes: Sequence[MinuteRow], since: int, width: int = 120, height: int = 22) -> dict[str, Any]:
    """An hour of a reactor as two lines: what was done, and what failed."""
    done, failed = [0] * _HOUR, [0] * _HOUR
    for each in minutes:
        place = (each.minute - since) // _MINUTE
        if 0 <= place < _HOUR:
            done[place] += each.done
            failed[place] += each.failed
    most = max(1, *done, *failed)

    def points(values: Sequence[int]) -> str:
        step = width / (_HOUR - 1)
        return " ".join(
            f"{n * step:.1f},{height - 1 - value / most * (height - 3):.1f}" for n, value in enumerate(values)
        )

    return {
        "done": points(done),
        "failed": points(failed) if any(failed) else "",
        "sum": sum(done),
        "bad": sum(failed),
        "most": most,
    }


@router.get("/reactors/{name:path}")
async def reactor(request: Request, name: str) -> HTMLResponse:
    desk, at = request.app.state.desk, now()
    found = await desk.runs.reactors(minutes=MINUTES, min_position=position_of(request))
    row = next((each for each in found.found if each.reactor == name), None)
    if row is None:
        return error_page(request, 404, f"No contract names a reactor {name}", "", "/reactors has those there are.")
    since = at - at % _MINUTE - (_HOUR - 1) * _MINUTE
    minutes = (await desk.runs.minutes(since, since + _HOUR * _MINUTE, reactor=name)).found
    by_minute = {each.minute: each for each in minutes}
    times = [since + n * _MINUTE for n in range(_HOUR)]
    held = [by_minute.get(time) for time in times]
    series = {
        "times": [time // 1000 for time in times],
        "done": [each.done if each else 0 for each in held],
        "failed": [each.failed if each else 0 for each in held],
        "mean": [round(each.took / each.done, 1) if each and each.done else None for each in held],
        "most": [each.most if each and each.done else None for each in held],
    }
    policy = next(
        (each for each in (await desk.runs.policies()).found if each.reactor in (name, "") and each.stopped), None
    )
    owing = await desk.runs.list(Where(reactor=name), limit=20)
    return await page(
        request, "reactor.html", fresh=found.fresh, reactor=row, series=series, policy=policy, owing=owing.found,
        members=await _members(desk, row.service), minutes=MINUTES,
    )  # fmt: skip


@router.get("/projections")
async def projections(request: Request) -> HTMLResponse:
    desk = request.app.state.desk
    found = await desk.runs.ask(_tables, position_of(request))
    about, positions = found.found
    try:
        ends = await desk.store.ends([each["partition"] for each in positions])
    except StoreError as error:
        ends, trouble = {}, str(error)
    else:
        trouble = desk.trouble() or desk.beside() or ""
    stopped = {} if desk.projector is None else {p: str(error) for p, error in desk.projector.stopped.items()}
    rows = [(each, ends[each["partition"]].next if each["partition"] in ends else None) for each in positions]
    behind = sum(max(end - each["position"], 0) for each, end in rows if end is not None)
    return await page(
        request, "projections.html", fresh=found.fresh, about=about, rows=rows, behind=behind, trouble=trouble,
        stopped=stopped, in_process=desk.projector is not None, custom=await projections_of(desk),
    )  # fmt: skip


def _tables(connection: Connection) -> tuple[Mapping[str, Any] | None, list[Mapping[str, Any]]]:
    about = connection.execute(select(t.about)).mappings().first()
    positions = connection.execute(select(t.positions).order_by(t.positions.c.partition)).mappings()
    return None if about is None else dict(about), [dict(row) for row in positions]
