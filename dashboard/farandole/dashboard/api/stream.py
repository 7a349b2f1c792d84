"""The live stream: server-sent events that go on where they were cut off."""

import logging
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from farandole.dashboard.auth.guards import Seeing
from farandole.dashboard.live import Wanted

from .asking import TheDesk, read_position

log = logging.getLogger("farandole.dashboard")
router = APIRouter(tags=["live"])

LONGEST: Final = 60.0
"""Seconds after which a stream ends and its reader comes back, so that who may look no longer is found out."""
PING: Final = 15
UNREAD: Final = 20.0
"""Seconds for which somebody who reads nothing is waited for."""


class Stream(EventSourceResponse):
    """A stream that somebody who reads nothing does not keep."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        super().__init__(content, ping=PING, send_timeout=UNREAD, headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a live stream of which nothing was read for %g s was cut off", UNREAD)


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
    """Events ``record``, ``run.changed``, ``reactor.rates``; ``reset``: load everything anew; ``trouble``: why the tables
    do not go on, null once they do again.

    The id of an event is the position of the tables behind it. A reader that was cut off sends it as Last-Event-ID, as
    browsers do, and misses nothing. A stream ends after a minute.
    """
    assert desk.hub is not None
    wanted = Wanted(tuple(run or ()), tuple(type or ()), tuple(status or ()))
    after_ = read_position(last_event_id or after)
    hub = desk.hub
    await hub.check()

    async def sending() -> AsyncIterator[bytes]:
        async with hub.looking(wanted, after_, longest=LONGEST) as events:
            async for event in events:
                if event:
                    yield event

    return Stream(sending())
