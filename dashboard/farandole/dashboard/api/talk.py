"""One run as it goes: its changes, and what its steps say while they are at work."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from pydantic import AfterValidator
from sse_starlette import EventSourceResponse

from farandole.dashboard.auth.guards import Seeing
from farandole.dashboard.live import Talk, read_id
from farandole.dashboard.web.paths import RunId

from . import stream
from .asking import TheDesk, read_position

router = APIRouter(tags=["live"])
_MOST: Final = 50
_MOST_BYTES: Final = 255
_SEEN: Final = "As Last-Event-ID: the id of the last event that was seen."


def _run_id(said: str) -> str:
    if "\0" in said or not 1 <= len(said.encode(errors="replace")) <= _MOST_BYTES:
        raise ValueError(f"a run id has 1 to {_MOST_BYTES} bytes of UTF-8, and no zero byte")
    return said


_OtherRun = Annotated[str, AfterValidator(_run_id)]


@router.get("/runs/{run_id:path}/live", summary="It as it goes, and what is said", response_class=EventSourceResponse)
async def live(
    caller: Seeing,
    desk: TheDesk,
    run_id: RunId,
    also: Annotated[
        list[_OtherRun] | None, Query(description="Other runs beside it, such as its children.", max_length=_MOST)
    ] = None,
    last_event_id: Annotated[str | None, Header(max_length=20_000)] = None,
    after: Annotated[str | None, Query(description=_SEEN, max_length=20_000)] = None,
) -> EventSourceResponse:
    """Events ``record`` and ``run.changed`` as of the stream of all runs, and ``live``: a piece of what a step at work
    says. One with ``anew`` begins a take, in whose favour all that the step said before is to be forgotten.

    Whoever comes late is told all that an open step has said; the rest is in the log. What is personal is told to those
    who may see it, what is secret to nobody.
    """
    assert desk.hub is not None
    positions, heard = read_id(last_event_id or after)
    seen = read_position(positions)
    await desk.hub.check()
    talk = Talk(desk.hub, desk.runs, desk.client, [run_id, *(also or ())], personal=caller.personal, heard=heard)

    async def sending() -> AsyncIterator[bytes]:
        async for event in talk.events(seen, longest=stream.LONGEST):
            yield event

    return stream.Stream(sending())
