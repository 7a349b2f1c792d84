"""Which starts somebody means who asks for runs: a class, its name, or its name in the log."""

from typing import TYPE_CHECKING

from farandole.schemas import Event, Start, event_info
from farandole.schemas.catalogue import names_in

from .errors import UnknownStart

if TYPE_CHECKING:
    from .client import Client


async def start_named(client: "Client", type: type[Event] | str) -> str:
    """The wire name of a start.

    Raises:
        TypeError: it is an event of another kind, which opens no run.
        UnknownStart: neither this process nor the log knows one of that name.
        StoreError: the catalogue cannot be read.
    """
    types = client.scribe.types
    if not isinstance(type, str):
        return f"{types.prefix}.{_name(type)}"
    wire = type if type.startswith(f"{types.prefix}.") else f"{types.prefix}.{type}"
    meant = types.type_of(wire) or next((cls for cls in types if cls.__name__ == type), None)
    if meant is not None:
        return f"{types.prefix}.{_name(meant)}"
    logged = names_in(await client.store.catalogue.load(), types.prefix)
    if wire in logged:
        return wire
    others = (name.partition(".")[2] for name in logged if types.type_of(name) is None)
    starts = (event_info(cls).name for cls in types if issubclass(cls, Start))
    raise UnknownStart(type, types.prefix, sorted({*starts, *others}))


def _name(event: type[Event]) -> str:
    if not (isinstance(event, type) and issubclass(event, Start)):
        raise TypeError(f"runs are told apart by their start; {event.__name__} is of another kind, and opens none")
    return event_info(event).name
