"""Schedules in the catalogue: as each was declared, and whether it is paused.

    schedule/<name>    {"service": …, "cron": …, "start": "<base64>", …}    what ticks, written by its service
    paused/<name>      {"paused": true, "at": <milliseconds>, "by": …}      what people said since

Only ticks are records of the log. What a run is started with is kept as it will stand in the log; if there is a payload
codec, sealed for this place, so that only who has the codec can tick.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, Self

from farandole.eventstore import Table
from farandole.schemas import EventTypes, PayloadContext, UndecodableValue, event_info
from farandole.schemas.envelope import Flag

from .event_flags import flags_of
from .schedules import Schedule
from .ticking import from_ms, in_ms, ticks

PREFIX: Final = b"schedule/"
PAUSED: Final = b"paused/"
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A schedule as the catalogue has it.

    Attributes:
        service: who declared it.
        type: wire name of the start.
        start: its bytes, sealed for the catalogue if ``sealed``.
        schema: its fingerprint.
        flags: those of the event, as its record will have them.
        deadline: milliseconds that its runs may take; 0: for ever.
        since: milliseconds since 1970 at which it was put there: nothing earlier is caught up with.
    """

    name: str
    service: str
    cron: str | None
    every: int | None
    tz: str
    jitter: int
    catch_up: Any
    overlap: Any
    first: int | None
    type: str
    start: bytes
    schema: bytes
    flags: int
    deadline: int
    sealed: bool
    since: int

    @classmethod
    def of(cls, schedule: Schedule, types: EventTypes, service: str, since: int) -> Self:
        """A schedule as it is declared."""
        event = type(schedule.start)
        name, deadline = types.wire_name(event), event_info(event).deadline
        value, schema, sealed = types.encode(schedule.start, _place(types, schedule.name, name))
        return cls(
            name=schedule.name,
            service=service,
            cron=schedule.cron,
            every=None if schedule.every is None else schedule.every // _MS,
            tz=schedule.tz,
            jitter=schedule.jitter // _MS,
            catch_up=schedule.catch_up,
            overlap=schedule.overlap,
            first=None if schedule.first is None else in_ms(schedule.first.astimezone(UTC)),
            type=name,
            start=value,
            schema=schema,
            flags=flags_of(event),
            deadline=int(deadline / _MS) if deadline else 0,
            sealed=sealed,
            since=since,
        )

    @classmethod
    def read(cls, value: bytes) -> Self:
        """An entry of the catalogue.

        Raises:
            UndecodableValue: it is none.
        """
        try:
            said = json.loads(value)
            return cls(**{**said, "start": b64decode(said["start"]), "schema": bytes.fromhex(said["schema"])})
        except (ValueError, KeyError, TypeError, RecursionError) as e:
            raise UndecodableValue(f"a schedule in the catalogue cannot be read: {e}") from e

    def value(self) -> bytes:
        said = {name: getattr(self, name) for name in self.__slots__}
        said |= {"start": b64encode(self.start).decode(), "schema": self.schema.hex()}
        return json.dumps(said, separators=(",", ":")).encode()

    def plain(self, types: EventTypes) -> bytes:
        """What its runs start with, through no codec.

        Raises:
            UndecodableValue: it is sealed, and this process cannot open it.
        """
        if not self.sealed:
            return self.start
        return types.unseal(self.start, _place(types, self.name, self.type)._replace(schema=self.schema))

    def same_as(self, other: "Scheduled", types: EventTypes) -> bool:
        """Whether both tick alike, and start the same."""
        mine, theirs = self._without(), other._without()
        if mine != theirs:
            return False
        try:
            return self.plain(types) == other.plain(types)
        except UndecodableValue:
            return False

    def _without(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name not in ("start", "since", "service")}

    def when(self) -> Schedule:
        """When it ticks.

        Raises:
            DeclarationError: it cannot be understood here, such as a time zone that is not known.
        """
        return Schedule(
            name=self.name,
            start=None,  # type: ignore[arg-type]  # what it starts with is kept as bytes
            cron=self.cron,
            every=None if self.every is None else self.every * _MS,
            tz=self.tz,
            jitter=self.jitter * _MS,
            catch_up=self.catch_up,
            overlap=self.overlap,
            first=None if self.first is None else from_ms(self.first),
        )

    def value_for(self, types: EventTypes, run_id: str, id: str) -> tuple[bytes, int]:
        """The start for one run, and the flags of its record.

        Args:
            id: of the start.

        Raises:
            UndecodableValue, EncodingError: the payload codec fails, or is missing here.
        """
        if not self.sealed:
            return self.start, self.flags
        context = PayloadContext(types.prefix, run_id, id, self.type, self.schema)
        return types.seal(self.plain(types), context), self.flags | int(Flag.CODED)


@dataclass(frozen=True, slots=True)
class Said:
    """What people said of a schedule.

    Attributes:
        at: milliseconds since 1970: nothing earlier is caught up with.
    """

    paused: bool = False
    at: int = 0
    by: str = ""


async def scheduled(catalogue: Table) -> dict[str, Scheduled]:
    """All schedules by name; those that cannot be read are left out."""
    return _readable(await catalogue.scan(PREFIX), PREFIX, Scheduled.read)


async def said(catalogue: Table) -> dict[str, Said]:
    """What people said of schedules, by name."""
    return _readable(await catalogue.scan(PAUSED), PAUSED, lambda value: Said(**json.loads(value)))


async def say(catalogue: Table, name: str, paused: bool, at: int, by: str) -> None:
    """Pause a schedule, or let it go on."""
    await catalogue.put(PAUSED + name.encode(), json.dumps({"paused": paused, "at": at, "by": by}).encode())


async def publish(
    catalogue: Table, schedules: Sequence[Schedule], types: EventTypes, service: str, now: int
) -> Sequence[str]:
    """Bring declared schedules into the catalogue, and return the names of those that changed it."""
    if not schedules:
        return ()
    known = await scheduled(catalogue)
    changed = []
    for schedule in schedules:
        wanted = Scheduled.of(schedule, types, service, now)
        found = known.get(schedule.name)
        if found is not None and wanted.same_as(found, types):
            if not found.sealed or found.service == service:
                continue
            # It has moved to another service, which alone can open it from now on: no tick is left out for that.
            wanted = replace(wanted, since=found.since)
        await catalogue.put(PREFIX + schedule.name.encode(), wanted.value())
        changed.append(schedule.name)
    return changed


def next_ticks(scheduled: Scheduled, after: datetime, count: int) -> list[datetime]:
    """The next ticks of a schedule."""
    return list(islice(ticks(scheduled.when(), after, datetime.max.replace(tzinfo=UTC)), count))


def _place(types: EventTypes, schedule: str, name: str) -> PayloadContext:
    return PayloadContext(types.prefix, "", f"schedule/{schedule}", name)


def _readable(found: Mapping[bytes, bytes], prefix: bytes, read: Callable[[bytes], Any]) -> dict[str, Any]:
    readable = {}
    for key, value in found.items():
        try:
            readable[key.removeprefix(prefix).decode()] = read(value)
        except (UndecodableValue, ValueError, TypeError, RecursionError):
            continue
    return readable
