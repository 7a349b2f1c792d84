"""Over all runs: questions to people, failures, reactors, and what people did."""

from dataclasses import asdict, replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from farandole.dashboard.auth.guards import Seeing
from farandole.dashboard.errors import Problem
from farandole.dashboard.lagging import Lag, lag_of, projections_of
from farandole.dashboard.seen import seen_by
from farandole.dashboard.web.paths import Name
from farandole.projections.runs.query import (
    ActRow,
    DecisionRow,
    DueRow,
    FailureGroup,
    MinuteRow,
    PolicyRow,
    ReactorRow,
    RunRow,
    ServiceRow,
    UsageRow,
    WaitingGroup,
    WaitsFor,
    Where,
)

from .asking import MOST, Cursor, Instant, Limit, MinPosition, Page, TheDesk, page, told

router = APIRouter(tags=["across runs"])

By = Literal["day", "agent", "model", "run"]
DecisionState = Literal["open", "answered", "expired", "lapsed", "dropped", "unasked"]


class CustomProjection(BaseModel):
    """A projection that an app declares."""

    name: str
    version: int
    state: Literal["live", "stopped"]
    error: str
    changed: bool
    """Its code is not the one that the first rows were made by."""
    passed_over: int
    """Events that it could not handle, and went on without."""
    positions: dict[str, int]
    """By choreography/partition."""
    log_times: dict[str, int]
    behind: int | None
    """Records of this choreography that it has not taken; null: the log does not say."""
    kept: bool | None
    """Whether a process keeps it; null: none ever said so."""
    kept_by: list[str]
    """These processes."""


class Projection(BaseModel):
    """How far the tables are."""

    database: str
    positions: dict[int, int]
    log_times: dict[int, int]
    behind: Lag | None
    stopped: dict[int, str]
    """Partitions that are projected no further, and why; known where the projector is in this process."""
    custom: list[CustomProjection]
    """Those that apps declare."""


@router.get("/waiting", summary="Open runs, those that stand longest first")
async def waiting(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    waits_for: Annotated[WaitsFor | None, Query(description="Those that wait for this in the first place.")] = None,
    limit: Limit = 50, cursor: Cursor = None,
) -> Page[RunRow]:  # fmt: skip
    """``waits`` of each says which events could move it."""
    where = Where(open=True, waits_for=waits_for)
    answer = await desk.runs.list(where, oldest_first=True, limit=limit, cursor=cursor, min_position=min_position)
    return await page(desk, response, answer)


@router.get("/waiting/groups", summary="How many open runs wait for what in the first place, and since when")
async def waiting_groups(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    each: Annotated[int, Query(ge=0, le=MOST, description="So many runs of each that stand longest.")] = 0,
) -> Page[WaitingGroup]:  # fmt: skip
    return await page(desk, response, await desk.runs.waiting(each=each, min_position=min_position))


@router.get("/decisions", summary="Questions to people, the oldest first")
async def decisions(
    caller: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    state: Annotated[list[DecisionState] | None, Query(description="By default those that are open.")] = None,
    run_id: str | None = None, to: Annotated[list[str] | None, Query(description="Asked of one of these, or of everybody.")] = None,
    mine: Annotated[bool, Query(description="Asked of whoever asks here.")] = False,
    limit: Limit = 100, cursor: Cursor = None,
) -> Page[DecisionRow]:  # fmt: skip
    asked = {*(to or ()), *(caller.names if mine and not caller.trusted else ())}
    answer = await desk.runs.decisions(
        state=state or ("open",), run_id=run_id, to=asked, limit=limit, cursor=cursor, min_position=min_position
    )
    return await page(desk, response, replace(answer, found=tuple(seen_by(caller, each) for each in answer.found)))


@router.get("/decisions/{name:path}", summary="One question")
async def decision(
    caller: Seeing, desk: TheDesk, response: Response, name: Name, min_position: MinPosition
) -> DecisionRow:
    answer = await desk.runs.decisions(state=(), id=name, limit=1, min_position=min_position)
    await told(desk, response, answer.fresh)
    if not answer.found:
        raise Problem(
            404,
            "Not found",
            "There is no such question in the tables.",
            "GET /api/v1/decisions lists those that are open.",
        )
    return seen_by(caller, answer.found[0])


@router.get("/failures", summary="Failures by cause, those that park the most steps first")
async def causes(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    fingerprint: str | None = None, limit: Limit = 100, cursor: Cursor = None,
) -> Page[FailureGroup]:  # fmt: skip
    answer = await desk.runs.causes(fingerprint=fingerprint, limit=limit, cursor=cursor, min_position=min_position)
    return await page(desk, response, answer)


@router.get("/reactors", summary="Reactors: what they owe, and did of late")
async def reactors(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    minutes: Annotated[int, Query(ge=1, le=1_440)] = 5,
) -> Page[ReactorRow]:  # fmt: skip
    return await page(desk, response, await desk.runs.reactors(minutes=minutes, min_position=min_position))


@router.get("/minutes", summary="What reactors did, minute by minute of log time")
async def minutes(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    since: Instant,
    upto: Instant | None = None, reactor: str | None = None,
) -> Page[MinuteRow]:  # fmt: skip
    """Of a day at most; without ``upto``, up to the newest record."""
    answer = await desk.runs.minutes(since, upto, reactor=reactor, min_position=min_position)
    return await page(desk, response, answer)


@router.get("/usage", summary="What was used of models and what it cost")
async def usage(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    by: Annotated[list[By] | None, Query(description="What is summed up by; by default agent and model.")] = None,
    since: Instant | None = None, upto: Instant | None = None, agent: str | None = None, model: str | None = None,
    run_id: str | None = None, children: Annotated[bool, Query(description="Of a run: the runs that it started, too.")] = False,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000, cursor: Cursor = None,
) -> Page[UsageRow]:  # fmt: skip
    """Those that cost most first; by days, the newest day first. ``cost`` is in US dollars, exact, as text."""
    answer = await desk.runs.usage(
        by=by or ("agent", "model"), since=since, upto=upto, agent=agent, model=model, run_id=run_id, children=children,
        limit=limit, cursor=cursor, min_position=min_position,
    )  # fmt: skip
    return await page(desk, response, answer)


@router.get("/services", summary="Services, by the contracts in force")
async def services(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    minutes: Annotated[int, Query(ge=1, le=1_440)] = 5,
) -> Page[ServiceRow]:  # fmt: skip
    """What they owe, their ``lag``, and what was done and failed in the last minutes."""
    return await page(desk, response, await desk.runs.services(minutes=minutes, min_position=min_position))


@router.get("/policies", summary="Kill switches: who turned them, and why")
async def policies(_: Seeing, desk: TheDesk, response: Response, min_position: MinPosition) -> Page[PolicyRow]:
    return await page(desk, response, await desk.runs.policies(min_position=min_position))


@router.get("/timers", summary="Timers of all runs, that which is due first first")
async def timers(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition, limit: Limit = 100, cursor: Cursor = None
) -> Page[DueRow]:
    return await page(desk, response, await desk.runs.due(limit=limit, cursor=cursor, min_position=min_position))


@router.get("/audit", summary="What people did, the newest first")
async def audit(
    _: Seeing, desk: TheDesk, response: Response, min_position: MinPosition,
    by: str | None = None, kind: Annotated[list[str] | None, Query(description="Of records, as cancel.")] = None,
    run_id: str | None = None, since: Instant | None = None, upto: Instant | None = None,
    programs: Annotated[bool, Query(description="And of programs that named nobody.")] = False,
    limit: Limit = 100, cursor: Cursor = None,
) -> Page[ActRow]:  # fmt: skip
    answer = await desk.runs.acts(
        by=by, kind=kind or (), run_id=run_id, since=since, upto=upto, programs=programs, limit=limit, cursor=cursor,
        min_position=min_position,
    )  # fmt: skip
    return await page(desk, response, answer)


@router.get("/projections", summary="How far the tables are")
async def projections(_: Seeing, desk: TheDesk) -> Projection:
    fresh = await desk.runs.freshness()
    stopped = {} if desk.projector is None else {p: str(why) for p, why in desk.projector.stopped.items()}
    custom = [
        CustomProjection.model_validate({**asdict(each), "behind": behind})
        for each, behind in await projections_of(desk)
    ]
    return Projection(
        database=desk.db_url, positions=dict(fresh.positions), log_times=dict(fresh.log_times), behind=await lag_of(desk),
        stopped=stopped, custom=custom,
    )  # fmt: skip
