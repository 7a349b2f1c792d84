"""What is done to runs."""

from collections.abc import Mapping
from typing import Any

from farandole.dashboard.callers import Caller
from farandole.dashboard.desk import Desk
from farandole.dashboard.errors import Problem
from farandole.projections.fold import UNDO, OwedStep
from farandole.reactors.client import Client
from farandole.reactors.handle import RunHandle
from farandole.schemas import Answer, Event, Signal, Start

from .events import changed, event_of
from .origin import Done, done, on_behalf_of


async def start(
    desk: Desk, caller: Caller, type: str, payload: Mapping[str, Any], *, run_id: str | None = None, why: str = ""
) -> Done:
    """Start a run, or find it started.

    Raises:
        Problem: the event is not known here, or does not fit; or the id cannot be one.
    """
    event = event_of(desk, type, payload, Start)
    if run_id is not None and not 1 <= len(run_id.encode(errors="replace")) <= 255:
        raise Problem(
            422, "Does not fit", "A run id has 1 to 255 bytes of UTF-8.", "Choose a shorter one, or leave it out."
        )
    handle = await on_behalf_of(desk, caller, why).start(event, run_id=run_id)
    return await done(desk, caller, "start", run_id=handle.id, created=await handle.created)


async def send(
    desk: Desk, caller: Caller, run_id: str, type: str, payload: Mapping[str, Any], *, why: str = ""
) -> Done:
    """Send a signal into a run.

    Raises:
        Problem: the event is not known here, or does not fit.
        CommandRefused: the run did not take it.
    """
    event = event_of(desk, type, payload, Signal)
    await on_behalf_of(desk, caller, why).run(run_id).send(event)
    return await done(desk, caller, "send", run_id=run_id)


async def cancel(desk: Desk, caller: Caller, run_id: str, *, why: str) -> Done:
    """Bring a run to its end.

    Raises:
        CommandRefused: it has its result, or is not there.
    """
    await on_behalf_of(desk, caller).run(run_id).cancel(why, by=caller.name)
    return await done(desk, caller, "cancel", run_id=run_id)


async def pause(desk: Desk, caller: Caller, run_id: str, *, why: str = "") -> Done:
    """Begin no further step of a run.

    Raises:
        CommandRefused: it is paused, or not there.
    """
    await on_behalf_of(desk, caller).run(run_id).pause(why, by=caller.name)
    return await done(desk, caller, "pause", run_id=run_id)


async def resume(desk: Desk, caller: Caller, run_id: str, *, why: str = "") -> Done:
    """Let a paused run go on.

    Raises:
        CommandRefused: it is not paused.
    """
    await on_behalf_of(desk, caller).run(run_id).resume(why, by=caller.name)
    return await done(desk, caller, "resume", run_id=run_id)


async def retry(
    desk: Desk,
    caller: Caller,
    run_id: str,
    *,
    why: str = "",
    reactor: str | None = None,
    failure: str | None = None,
    type: str | None = None,
    payload: Mapping[str, Any] | None = None,
) -> Done:
    """Make a run's parked steps owed again.

    Args:
        reactor: those of this one only.
        failure: that only which this failure parked.
        type, payload: fields that change in an event that the one parked step took; the event's name, if it took several.

    Raises:
        Problem: it is not clear which step or event is meant, or the fields do not fit.
        CommandRefused: nothing is parked.
    """
    client = on_behalf_of(desk, caller)
    handle = client.run(run_id)
    if payload is None:
        count = await handle.retry(why, by=caller.name, reactor=reactor, failure=failure)
    else:
        step = await _parked(handle, reactor, failure)
        edit = await _edited(desk, client, step, run_id, type, payload)
        count = await handle.retry(why, by=caller.name, reactor=step.reactor, failure=step.parked, edit=edit)
    return await done(desk, caller, "retry", run_id=run_id, count=count)


async def retry_cause(
    desk: Desk, caller: Caller, fingerprint: str, *, reactor: str | None = None, limit: int | None = None, why: str = ""
) -> Done:
    """Make parked steps of all runs owed again that failed by one cause.

    Raises:
        Problem: several causes begin so.
    """
    try:
        count = await on_behalf_of(desk, caller).retry(
            why, by=caller.name, fingerprint=fingerprint, reactor=reactor, limit=limit
        )
    except ValueError as e:
        raise Problem(409, "Not clear", str(e), "Name one of them.") from e
    return await done(desk, caller, "retry cause", of=fingerprint, count=count)


async def _parked(handle: RunHandle, reactor: str | None, failure: str | None) -> OwedStep:
    steps = [
        step
        for step in (await handle.status()).owed
        if step.parked
        and reactor in (None, step.reactor)
        and failure in (None, step.parked)
        and step.generation != UNDO.decode()
    ]
    if len(steps) == 1:
        return steps[0]
    if not steps:
        raise Problem(
            409, "Refused", "No such step is parked that could be retried with another input.", "Look at the run again."
        )
    parked = ", ".join(sorted({step.reactor for step in steps}))
    raise Problem(409, "Not clear", f"{len(steps)} steps are parked, of {parked}.", "Name the failure that parked it.")


async def _edited(
    desk: Desk, client: Client, step: OwedStep, run_id: str, type: str | None, payload: Mapping[str, Any]
) -> Event:
    """What the step took, with other values in these fields."""
    short = [name.rpartition(".")[2] for name in step.trigger_types]
    if type is None and len(short) > 1:
        raise Problem(409, "Not clear", f"{step.reactor} took {', '.join(short)}.", "Name the event that changes.")
    wanted = short[0] if type is None else type.removeprefix(f"{desk.choreography}.")
    if wanted not in short:
        raise Problem(
            422, "Does not fit", f"{step.reactor} took no {wanted}, but {', '.join(short)}.", "Name one of these."
        )
    partition = desk.store.partition_of(run_id.encode())
    (record,) = await desk.store.fetch(partition, (step.inputs[short.index(wanted)],))
    before = await client.decode(record)
    if isinstance(before, Answer):
        raise Problem(
            409, "Refused", f"{wanted} is somebody's answer, and only they can say another one.",
            "Retry the step as it was, or another event that it took.",
        )  # fmt: skip
    return changed(before, payload)
