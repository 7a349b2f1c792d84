"""The live stream: server-sent events that go on where they were cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse

from farandole.dashboard.auth.guards import Seeing
from farandole.dashboard.live import Wanted

from .asking import TheDesk, read_position

router = APIRouter(tags=["live"])

LONGEST: Final = 30 * 60
"""Seconds after which a stream ends and its reader comes back, so that who may look no longer is found out."""
PING: Final = 15


@router.get("/stream", summary="What changes, as it changes", response_class=EventSourceResponse)
async def stream(
    _: Seeing,
    desk: TheDesk,
    run: Annotated[list[str] | None, Query(description="Of one of these runs.")] = None,
    type: Annotated[list[str] | None, Query(description="Of runs that this began, or records of this type.")] = None,
    status: Annotated[list[str] | None, Query(description="Of runs that now stand so.")] = None,
    last_event_id: Annotated[str | None, Header(max_length=20_000)] = None,
    after: Annotated[
        str | None, Query(description="As Last-Event-ID: the position behind what was seen.", max_length=20_000)
    ] = None,
) -> EventSourceResponse:
    """Events ``record``, ``run.changed``, ``reactor.rates``; ``reset``: load everything anew.

    The id of an event is the position of the tables behind it. A reader that was cut off sends it as Last-Event-ID, as
    browsers do, and misses nothing.
    """
    assert desk.hub is not None
    wanted = Wanted(tuple(run or ()), tuple(type or ()), tuple(status or ()))
    after_ = read_position(last_event_id or after)
    hub = desk.hub
    hub.check()

    async def sending() -> AsyncIterator[bytes]:
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST), hub.looking(wanted, after_) as events:
                async for event in events:
                    if event:
                        yield event

    return EventSourceResponse(sending(), ping=PING, headers={"X-Accel-Buffering": "no"})
