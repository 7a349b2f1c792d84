"""The logs that a projection reads, and which of its events are in which."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from farandole.eventstore import EventStore, Stored
from farandole.schemas import DeclarationError, Event, EventTypes, PayloadCodec, event_info, refresh

from .projection import Projection, events_of

Archive = Callable[[str, int], Iterable[Stored]]
"""By choreography and partition, the records that were archived, from the first one on."""

SEPARATOR: Final = "/"


def part_of(choreography: str, partition: int) -> str:
    """The name of a partition among those of all logs."""
    return f"{choreography}{SEPARATOR}{partition}"


class Source(Protocol):
    """What a projection needs of a choreography."""

    name: str
    codec: PayloadCodec | None

    @property
    def events(self) -> Mapping[str, type[Event]]:
        """The event types that it is known to have."""
        ...


class Log(NamedTuple):
    """A log, and what of it a projection takes."""

    name: str
    store: EventStore
    types: EventTypes

    def part(self, partition: int) -> str:
        """The name of a partition among those of all logs."""
        return part_of(self.name, partition)

    async def refresh(self) -> None:
        """Learn the schemas that events were written with."""
        await refresh(self.store.catalogue, self.types)


def types_of(projection: type[Projection], sources: Sequence[Source]) -> Mapping[str, EventTypes]:
    """By choreography, the events of a projection that it reads there. Of one choreography: all.

    Raises:
        DeclarationError: none of several choreographies knows one of its events.
    """
    wanted = {event_info(event).name: event for event in events_of(projection)}
    if len(sources) == 1:
        (source,) = sources
        return {source.name: EventTypes(source.name, wanted.values(), source.codec)}
    found = {
        source.name: EventTypes(source.name, [e for name, e in wanted.items() if name in source.events], source.codec)
        for source in sources
    }
    for event in wanted.values():
        if not any(event in types for types in found.values()):
            names = " or ".join(f"{source.name}.know({event.__name__})" for source in sources)
            raise DeclarationError(
                f"{projection.__name__}: takes {event.__name__}, but none of its choreographies knows it; say {names}"
            )
    return found


async def ends_of(logs: Sequence[Log]) -> dict[str, int]:
    """By part, the position that comes next."""
    return {
        each.part(p): end.next
        for each in logs
        for p, end in (await each.store.ends(range(each.store.partitions))).items()
    }
