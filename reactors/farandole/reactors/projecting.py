"""Projections that an app declares."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from farandole.projections import Projection
from farandole.projections.custom import events_of, name_of, types_of
from farandole.schemas import DeclarationError, EventTypes

if TYPE_CHECKING:
    from .choreography import Choreography


class Projected(NamedTuple):
    """A projection, and the choreographies whose events it takes."""

    name: str
    projection: type[Projection]
    of: "tuple[Choreography, ...]"

    def types(self) -> Mapping[str, EventTypes]:
        """By choreography, the events that it takes there.

        Raises:
            DeclarationError: none of them knows one of its events.
        """
        return types_of(self.projection, self.of)


def projected(projection: type[Projection], of: "Sequence[Choreography]") -> Projected:
    """What an app declares.

    Raises:
        DeclarationError: it is no projection, takes no events, or is of one choreography twice.
    """
    if not (isinstance(projection, type) and issubclass(projection, Projection)):
        raise DeclarationError(f"{of[0].name}.project takes a class that extends Projection, and not {projection!r}")
    events_of(projection)
    names = [each.name for each in of]
    if len(set(names)) < len(names):
        raise DeclarationError(
            f"{of[0].name}.project: {name_of(projection)} is of one choreography twice: {', '.join(names)}"
        )
    return Projected(name_of(projection), projection, tuple(of))
