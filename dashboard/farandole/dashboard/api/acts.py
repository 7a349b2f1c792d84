"""What people do, over HTTP. Each is in the log when it is answered, with the position where the tables know of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from farandole.dashboard import acts
from farandole.dashboard.auth.guards import Administering, Deciding, Operating
from farandole.dashboard.web.paths import Name, RunId

from .asking import POSITION, TheDesk, said_position

router = APIRouter(tags=["acts"])

Reason = Annotated[str, Field(max_length=10_000, description="Why; it stands in the log.")]
Given = Annotated[str, Field(min_length=1, max_length=10_000, description="Why; it stands in the log.")]
Word = Annotated[str, Field(min_length=1, max_length=255)]
Payload = Annotated[dict[str, Any], Field(description="The event's fields.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Starting(_Body):
    type: Word
    payload: Payload = Field(default_factory=dict)
    run_id: Annotated[Word | None, Field(description="The same id twice makes one run; a random one by default.")] = (
        None
    )
    reason: Reason = ""


class Sending(_Body):
    type: Word
    payload: Payload = Field(default_factory=dict)
    reason: Reason = ""


class Why(_Body):
    reason: Reason = ""


class MustSayWhy(_Body):
    reason: Given


class Retrying(_Body):
    reason: Reason = ""
    reactor: Annotated[Word | None, Field(description="Steps of this reactor only.")] = None
    failure: Annotated[Word | None, Field(description="Only the step that the failure with this id parked.")] = None
    type: Annotated[Word | None, Field(description="Which event changes, if the step took several.")] = None
    payload: Annotated[dict[str, Any] | None, Field(description="Fields that change in what the step took.")] = None


class RetryingCause(_Body):
    reason: Reason = ""
    reactor: Word | None = None
    limit: Annotated[int | None, Field(ge=1, description="The oldest so many.")] = None


class Answering(_Body):
    run_id: Word
    type: Word
    payload: Payload = Field(default_factory=dict)
    hash: Annotated[str, Field(max_length=64, description="Of the question that was looked at.")]
    comment: Annotated[str | None, Field(max_length=10_000)] = None
    by: Annotated[str | None, Field(min_length=1, max_length=200, description="Only where nobody has to log in.")] = (
        None
    )


class Acted(BaseModel):
    """What an act came to."""

    position: Annotated[dict[str, int], Field(description="Where the tables know of it: ask with min_position=.")]
    run_id: str | None = None
    created: Annotated[bool | None, Field(description="Of a start: whether it opened the run.")] = None
    count: Annotated[int | None, Field(description="To how many it was done.")] = None


def _acted(response: Response, done: acts.Done) -> Acted:
    response.headers[POSITION] = said_position(done.position)
    position = {str(partition): next_ for partition, next_ in done.position.items()}
    return Acted(position=position, run_id=done.run_id, created=done.created, count=done.count)


@router.post("/runs", status_code=202, summary="Start a run")
async def start(body: Starting, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(
        response, await acts.start(desk, caller, body.type, body.payload, run_id=body.run_id, why=body.reason)
    )


@router.post("/runs/{run_id:path}/signals", status_code=202, summary="Send a signal into a run")
async def send(run_id: RunId, body: Sending, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.send(desk, caller, run_id, body.type, body.payload, why=body.reason))


@router.post("/runs/{run_id:path}/pause", status_code=202, summary="Begin no further step of a run")
async def pause(run_id: RunId, body: Why, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.pause(desk, caller, run_id, why=body.reason))


@router.post("/runs/{run_id:path}/resume", status_code=202, summary="Let a paused run go on")
async def resume(run_id: RunId, body: Why, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.resume(desk, caller, run_id, why=body.reason))


@router.post("/runs/{run_id:path}/cancel", status_code=202, summary="Bring a run to its end")
async def cancel(run_id: RunId, body: MustSayWhy, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.cancel(desk, caller, run_id, why=body.reason))


@router.post("/runs/{run_id:path}/retry", status_code=202, summary="Make a run's parked steps owed again")
async def retry(run_id: RunId, body: Retrying, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    done = await acts.retry(
        desk, caller, run_id, why=body.reason, reactor=body.reactor, failure=body.failure, type=body.type, payload=body.payload
    )  # fmt: skip
    return _acted(response, done)


@router.post("/decisions/{name:path}/answers", status_code=202, summary="Answer a question")
async def answer(name: Name, body: Answering, caller: Deciding, desk: TheDesk, response: Response) -> Acted:
    done = await acts.decide(
        desk, caller, body.run_id, name, body.type, body.payload, hash=body.hash, comment=body.comment, by=body.by
    )
    return _acted(response, done)


@router.post("/failures/{name:path}/retry", status_code=202, summary="Make all parked steps of one cause owed again")
async def retry_cause(name: Name, body: RetryingCause, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    done = await acts.retry_cause(desk, caller, name, reactor=body.reactor, limit=body.limit, why=body.reason)
    return _acted(response, done)


@router.post("/reactors/{name:path}/stop", status_code=202, summary="Begin no further step of a reactor; *: of any")
async def stop(name: Name, body: MustSayWhy, caller: Administering, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.stop(desk, caller, name, why=body.reason))


@router.post("/reactors/{name:path}/go-on", status_code=202, summary="Let a reactor go on; *: all")
async def go_on(name: Name, body: Why, caller: Administering, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.go_on(desk, caller, name, why=body.reason))


@router.post("/schedules/{name:path}/pause", status_code=202, summary="Start no run of a schedule")
async def pause_schedule(name: Name, body: Why, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.pause_schedule(desk, caller, name, why=body.reason))


@router.post("/schedules/{name:path}/resume", status_code=202, summary="Let a schedule go on")
async def resume_schedule(name: Name, body: Why, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.resume_schedule(desk, caller, name, why=body.reason))


@router.post("/schedules/{name:path}/fire", status_code=202, summary="Let a schedule tick now")
async def fire(name: Name, body: Why, caller: Operating, desk: TheDesk, response: Response) -> Acted:
    return _acted(response, await acts.fire(desk, caller, name, why=body.reason))
