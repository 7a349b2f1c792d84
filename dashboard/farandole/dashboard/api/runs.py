"""Runs: found, counted, and compared."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from farandole.dashboard.auth.guards import Seeing
from farandole.projections.runs.query import RunDiff, RunRow, WaitsFor, Where

from .asking import Cursor, Instant, Limit, MinPosition, Page, TheDesk, one, page, told

router = APIRouter(tags=["runs"])


@router.get("/runs", summary="Runs, those that moved last first")
async def listed(
    _: Seeing,
    desk: TheDesk,
    response: Response,
    min_position: MinPosition,
    status: Annotated[list[str] | None, Query(description="One of these.")] = None,
    open: Annotated[bool | None, Query(description="Closed, or not.")] = None,
    type: Annotated[str | None, Query(description="The event that started it.")] = None,
    reactor: Annotated[str | None, Query(description="A step of it is owed or parked.")] = None,
    fingerprint: Annotated[str | None, Query(description="How the cause of a failure begins.")] = None,
    parent: str | None = None,
    id: Annotated[str | None, Query(description="How the run's id begins.")] = None,
    text: Annotated[str | None, Query(description="Words in one of its records.")] = None,
    attribute: Annotated[
        list[str] | None, Query(description="A field that is marked with Search, as customer=ann.")
    ] = None,
    started_from: Instant | None = None,
    started_to: Instant | None = None,
    touched_from: Instant | None = None,
    touched_to: Instant | None = None,
    waits_for: Annotated[WaitsFor | None, Query(description="Open, and waits for this in the first place.")] = None,
    order: Literal["touched", "started"] = "touched",
    oldest_first: Annotated[bool, Query(description="Those that moved, or began, first come first.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RunRow]:
    where = Where(
        status=status or (), open=open, waits_for=waits_for, type=type, reactor=reactor, fingerprint=fingerprint, parent=parent, id=id,
        text=text, attributes=dict(each.partition("=")[::2] for each in attribute or ()),
        started_from=started_from, started_to=started_to, touched_from=touched_from, touched_to=touched_to,
    )  # fmt: skip
    answer = await desk.runs.list(
        where, order=order, oldest_first=oldest_first, limit=limit, cursor=cursor, min_position=min_position
    )
    return await page(desk, response, answer)


@router.get("/counts", summary="How many runs there are, by status")
async def counts(_: Seeing, desk: TheDesk, response: Response, min_position: MinPosition) -> dict[str, int]:
    answer = await desk.runs.counts(min_position=min_position)
    await told(desk, response, answer.fresh)
    return dict(answer.found)


@router.get("/diff", summary="Two runs side by side")
async def diff(caller: Seeing, desk: TheDesk, response: Response, a: str, b: str, min_position: MinPosition) -> RunDiff:
    answer = await desk.runs.diff(a, b, personal=caller.personal, min_position=min_position)
    return await one(desk, response, answer, "such pair of runs")
