"""Events of other choreographies, by the names that they have there."""

from farandole.schemas import Event, EventTypes


class OtherTypes:
    """How events are written and read where they belong to another choreography.

    Args:
        home: this choreography's events; the codec of their values is everybody's.
    """

    def __init__(self, home: EventTypes) -> None:
        self._home = home
        self._others: dict[str, EventTypes] = {}

    def of(self, choreography: str, *events: type[Event]) -> EventTypes:
        """The events of a choreography that are known here, these included.

        Raises:
            DeclarationError: the name is none of a choreography, or two events there have one name.
        """
        if choreography in ("", self._home.prefix):
            return self._home
        types = self._others.get(choreography)
        if types is None:
            types = self._others[choreography] = EventTypes(choreography, (), self._home.codec)
        for event in events:
            types.add(event)
        return types
