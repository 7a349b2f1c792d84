"""Records as the events that they hold."""

from collections.abc import Sequence

from farandole.eventstore import EventStore, Stored
from farandole.reactors.others import OtherTypes
from farandole.reactors.reading import event_of, read_event
from farandole.reactors.values import Values
from farandole.schemas import Event, EventTypes, UndecodableValue, UnreadableHeaders


class EventReader:
    """Reads events of the log for handlers.

    Attributes:
        types: the events that this process knows.
        others: those of other choreographies.
        values: where records come from.
    """

    def __init__(self, store: EventStore, types: EventTypes, values: Values) -> None:
        self.store = store
        self.catalogue = store.catalogue
        self.types = types
        self.others = OtherTypes(types)
        self.values = values

    async def records(self, partition: int, offsets: Sequence[int]) -> Sequence[Stored]:
        """The records at these offsets, in their order.

        Raises:
            StoreError: they cannot be read now, or are there no longer.
        """
        return await self.values.get(partition, offsets)

    async def event(self, record: Stored) -> Event:
        """The event of a record.

        Raises:
            UndecodableValue: it is none, or none that this process can read.
        """
        try:
            return event_of(self.types, record)
        except UndecodableValue:
            return await read_event(self.types, self.store, record)
        except UnreadableHeaders as e:
            raise UndecodableValue(f"the record at offset {record.offset} is no event: {e}") from e
