"""One run, from all sides."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from farandole.dashboard.auth.guards import Seeing
from farandole.dashboard.errors import Problem
from farandole.dashboard.seen import seen_by
from farandole.dashboard.web.paths import RunId
from farandole.projections.runs.query import (
    CauseGraph,
    ChildRow,
    FailureRow,
    Family,
    RecordRow,
    RunRow,
    RunThen,
    StepRow,
    TimerRow,
)

from .asking import MOST, Cursor, Instant, Limit, MinPosition, Offset, Page, TheDesk, one, page

router = APIRouter(tags=["one run"])

Everything = Annotated[bool, Query(description="Commands, claims and refused records too, in the order of the log.")]
_LINES: Final = "application/jsonl"


@router.get("/runs/{run_id:path}/history", summary="Its events, in the order of admission")
async def history(
    caller: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition,
    everything: Everything = False, limit: Limit = 100, cursor: Cursor = None,
) -> Page[RecordRow]:  # fmt: skip
    """What is marked personal is there for those who may see it; what is secret, for nobody."""
    answer = await desk.runs.history(
        run_id, everything=everything, personal=caller.personal, limit=limit, cursor=cursor, min_position=min_position
    )
    return await page(desk, response, answer)


@router.get("/runs/{run_id:path}/export", summary="Its events, one a line", response_class=StreamingResponse)
async def export(
    caller: Seeing, desk: TheDesk, run_id: RunId, min_position: MinPosition, everything: Everything = False
) -> StreamingResponse:
    """All of them, as JSON lines, as `history` has them."""
    first = await desk.runs.history(
        run_id, everything=everything, personal=caller.personal, limit=MOST, min_position=min_position
    )
    if not first.found:
        raise Problem(
            404, "Not found", f"There is no run {run_id!r} in the tables.", "Ask with min_position= if it is new."
        )

    async def lines() -> AsyncIterator[str]:
        answer = first
        while True:
            yield "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in answer.found)
            if answer.next is None:
                return
            answer = await desk.runs.history(
                run_id, everything=everything, personal=caller.personal, limit=MOST, cursor=answer.next
            )

    headers = {"Content-Disposition": 'attachment; filename="run.jsonl"'}
    return StreamingResponse(lines(), media_type=_LINES, headers=headers)


@router.get("/runs/{run_id:path}/state", summary="As it was at an offset or a log time")
async def state(
    caller: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition,
    offset: Offset | None = None, at: Instant | None = None,
) -> RunThen:  # fmt: skip
    answer = await desk.runs.state_at(run_id, offset=offset, at=at, personal=caller.personal, min_position=min_position)
    then = await one(desk, response, answer, f"run {run_id!r} then")
    return replace(then, decisions=tuple(seen_by(caller, each) for each in then.decisions))


@router.get("/runs/{run_id:path}/steps", summary="Its steps, the oldest first")
async def steps(
    _: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition,
    limit: Limit = 100, cursor: Cursor = None,
) -> Page[StepRow]:  # fmt: skip
    return await page(
        desk, response, await desk.runs.steps(run_id, limit=limit, cursor=cursor, min_position=min_position)
    )


@router.get("/runs/{run_id:path}/timers", summary="Its timers")
async def timers(
    _: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition,
    limit: Limit = 100, cursor: Cursor = None,
) -> Page[TimerRow]:  # fmt: skip
    return await page(
        desk, response, await desk.runs.timers(run_id, limit=limit, cursor=cursor, min_position=min_position)
    )


@router.get("/runs/{run_id:path}/children", summary="Runs that it started")
async def children(
    _: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition,
    limit: Limit = 100, cursor: Cursor = None,
) -> Page[ChildRow]:  # fmt: skip
    return await page(
        desk, response, await desk.runs.children(run_id, limit=limit, cursor=cursor, min_position=min_position)
    )


@router.get("/runs/{run_id:path}/failures", summary="Attempts that failed")
async def failures(
    _: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition,
    limit: Limit = 100, cursor: Cursor = None,
) -> Page[FailureRow]:  # fmt: skip
    return await page(
        desk, response, await desk.runs.failures(run_id, limit=limit, cursor=cursor, min_position=min_position)
    )


@router.get("/runs/{run_id:path}/graph", summary="What came of what")
async def graph(_: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition) -> CauseGraph:
    return await one(desk, response, await desk.runs.graph(run_id, min_position=min_position), f"run {run_id!r}")


@router.get("/runs/{run_id:path}/family", summary="All runs that it belongs with")
async def family(_: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition) -> Family:
    return await one(desk, response, await desk.runs.family(run_id, min_position=min_position), f"run {run_id!r}")


@router.get("/runs/{run_id:path}", summary="How it stands, and what it waits for")
async def single(_: Seeing, desk: TheDesk, response: Response, run_id: RunId, min_position: MinPosition) -> RunRow:
    return await one(desk, response, await desk.runs.get(run_id, min_position=min_position), f"run {run_id!r}")
