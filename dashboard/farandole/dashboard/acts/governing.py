"""What is done to reactors and schedules."""

from farandole.dashboard.callers import Caller
from farandole.dashboard.desk import Desk
from farandole.reactors import scheduling

from .origin import Done, done, on_behalf_of

ALL = "*"
"""All reactors."""


async def stop(desk: Desk, caller: Caller, reactor: str, *, why: str) -> Done:
    """Begin no further step of a reactor, or of any.

    Raises:
        UnknownReactor: there is none of this name.
        PolicyRefused: somebody else keeps turning the same switch.
    """
    name = None if reactor == ALL else reactor
    turned = await on_behalf_of(desk, caller).stop(name, why, by=caller.name)
    return await done(desk, caller, "stop", of=reactor, count=turned.partitions)


async def go_on(desk: Desk, caller: Caller, reactor: str, *, why: str = "") -> Done:
    """Let a reactor that was stopped go on, or all.

    Raises:
        UnknownReactor: there is none of this name.
        PolicyRefused: somebody else keeps turning the same switch.
    """
    name = None if reactor == ALL else reactor
    turned = await on_behalf_of(desk, caller).go_on(name, why, by=caller.name)
    return await done(desk, caller, "go on", of=reactor, count=turned.partitions)


async def pause_schedule(desk: Desk, caller: Caller, name: str, *, why: str = "") -> Done:
    """Start no run of a schedule until it is resumed.

    Raises:
        UnknownSchedule: there is none of this name.
    """
    await scheduling.pause(on_behalf_of(desk, caller), name, why, by=caller.name)
    return await done(desk, caller, "pause schedule", of=name, partitions=_of(desk, name))


async def resume_schedule(desk: Desk, caller: Caller, name: str, *, why: str = "") -> Done:
    """Let a schedule go on.

    Raises:
        UnknownSchedule: there is none of this name.
    """
    await scheduling.resume(on_behalf_of(desk, caller), name, why, by=caller.name)
    return await done(desk, caller, "resume schedule", of=name, partitions=_of(desk, name))


async def fire(desk: Desk, caller: Caller, name: str, *, why: str = "") -> Done:
    """Let a schedule tick now. Its run begins if its overlap lets it.

    Raises:
        UnknownSchedule: there is none of this name.
    """
    run_id = await scheduling.fire(on_behalf_of(desk, caller, why), name)
    found = await done(desk, caller, "fire", of=name, partitions=_of(desk, name))
    return Done(found.position, run_id)


def _of(desk: Desk, schedule: str) -> tuple[int]:
    return (desk.store.partition_of(schedule.encode()),)
