"""Schedules as people see and govern them: listed, paused, fired by hand, removed.

What is done to one is a record in the partition of its name, with who did it and why: first that is written, and then the
catalogue, so that nothing is done of which the log does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Record
from farandole.schemas import DeclarationError, system_records
from farandole.schemas.envelope import Kind, pack
from farandole.schemas.ids import OUTSIDE, derived_id
from farandole.schemas.kinship import OVERLAPS, Ticked, scheduled_run
from farandole.schemas.system import SystemSchema

from .behalf import on_behalf
from .errors import UnknownSchedule
from .scheduled import PAUSED, PREFIX, Said, Scheduled, next_ticks, said, say, scheduled
from .shown import text
from .ticking import from_ms

if TYPE_CHECKING:
    from .client import Client

AHEAD: Final = 5
"""How many of the next ticks are told."""


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule as it is now.

    Attributes:
        service: who declared it.
        when: when it ticks, in words.
        overlap: what becomes of a tick while a run of it is open.
        type: wire name of what its runs start with.
        paused: whether nothing is started for the time being, and by whom it was paused.
        last: its last tick, if there was one.
        next: its next ticks; none while it is paused, or if this process cannot tell.
        runs: ids of the runs that it started and that are open.
        waiting: the tick whose run starts once these are closed.
    """

    name: str
    service: str
    when: str
    overlap: str
    type: str
    paused: bool
    by: str
    last: datetime | None
    next: Sequence[datetime]
    runs: Sequence[str]
    waiting: datetime | None


async def schedules(client: "Client") -> Sequence[ScheduleView]:
    """All schedules of the choreography, by name.

    Raises:
        StoreError: the log cannot be read.
    """
    known, spoken = await scheduled(client.store.catalogue), await said(client.store.catalogue)
    if known:
        await client.follower.up_to_date(sorted({client.store.partition_of(name.encode()) for name in known}))
    now = await client.store.now()
    return [_view(client, entry, spoken.get(name, Said()), now) for name, entry in sorted(known.items())]


async def pause(client: "Client", name: str, why: str = "", *, by: str = "") -> None:
    """Start no run of a schedule until it is resumed. Runs that are open go on.

    Raises:
        UnknownSchedule: there is none of this name.
        AppendError: it could not be written down within half a minute; nothing was done.
    """
    await _record(client, name, system_records.SCHEDULE_PAUSED, why, by)
    await say(client.store.catalogue, name, True, await client.store.now(), by)


async def resume(client: "Client", name: str, why: str = "", *, by: str = "") -> None:
    """Let a schedule go on. Ticks that came while it was paused are not made up for.

    Raises:
        UnknownSchedule, AppendError: as for `pause`.
    """
    await _record(client, name, system_records.SCHEDULE_RESUMED, why, by)
    await say(client.store.catalogue, name, False, await client.store.now(), by)


async def fire(client: "Client", name: str, why: str = "", *, by: str = "") -> str:
    """Let a schedule tick now, paused or not, and return the id of the run that it starts if its overlap lets it.

    Raises:
        UnknownSchedule: there is none of this name.
        UndecodableValue: what it starts with is sealed, and this process has not the codec.
    """
    entry = await _known(client, name)
    scribe, key = client.scribe, name.encode()
    if by or b"?" not in scribe.source:
        # A tick that says nothing of who fired it could have come by itself.
        who = {"by": by} if by else {"fired": "1"}
        scribe = scribe.of(on_behalf(text(scribe.source), **who, why=why))
    ms = await client.store.now() // 1000 * 1000
    id, run_id = OUTSIDE + derived_id(key, b"tick", b"", ms), scheduled_run(key, ms)
    value, flags = entry.value_for(scribe.types, text(run_id), text(id))
    await client.append(key, tick(scribe.source, scribe.new_name(), scribe.now(), entry, ms, id, value, flags))
    return text(run_id)


async def remove(client: "Client", name: str, why: str = "", *, by: str = "") -> None:
    """Let a schedule tick no more. A worker whose code declares it brings it back when it starts.

    Raises:
        UnknownSchedule, AppendError: as for `pause`.
    """
    await _record(client, name, system_records.SCHEDULE_REMOVED, why, by)
    await client.store.catalogue.put(PREFIX + name.encode(), None)
    await client.store.catalogue.put(PAUSED + name.encode(), None)


def tick(
    source: bytes, append: bytes, sent: int, entry: Scheduled, ms: int, id: bytes, value: bytes, flags: int
) -> Record:
    """The record of a tick."""
    headers = pack(
        kind=Kind.TICK, id=id, type=b"farandole.Tick", source=source, append=append, sent=sent, flags=flags,
        delay=entry.deadline, schema=entry.schema,
        extra=Ticked(ms, OVERLAPS[entry.overlap], entry.type.encode()).pack(),
    )  # fmt: skip
    return Record(entry.name.encode(), value, headers)


async def _record(client: "Client", name: str, what: SystemSchema, why: str, by: str) -> None:
    await _known(client, name)
    await client.append(name.encode(), client.scribe.schedule(what, name.encode(), why, by))


async def _known(client: "Client", name: str) -> Scheduled:
    known = await scheduled(client.store.catalogue)
    if name not in known:
        raise UnknownSchedule(name, sorted(known))
    return known[name]


def _view(client: "Client", entry: Scheduled, spoken: Said, now: int) -> ScheduleView:
    schedule = client.follower.fold(client.store.partition_of(entry.name.encode())).schedules.get(entry.name.encode())
    try:
        when = entry.when().when
        ahead = () if spoken.paused else next_ticks(entry, datetime.fromtimestamp(now / 1000, UTC), AHEAD)
    except DeclarationError:
        when, ahead = entry.cron or "", ()
    children = schedule.children if schedule is not None else None
    waiting = schedule.waiting if schedule is not None else None
    return ScheduleView(
        name=entry.name,
        service=entry.service,
        when=when,
        overlap=entry.overlap,
        type=entry.type,
        paused=spoken.paused,
        by=spoken.by,
        last=from_ms(schedule.last) if schedule is not None else None,
        next=ahead,
        runs=[text(child.key) for child in (children or {}).values()],
        waiting=from_ms(waiting[0]) if waiting is not None else None,
    )
