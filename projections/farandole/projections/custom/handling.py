"""Events to handlers: in their order, and together where a handler takes many."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .errors import ProjectionStopped
from .feed import Item
from .handlers import Handler
from .projection import Projection, handlers, name_of

_MOST_SAID: Final = 500


class Raised(Exception):
    """A handler raised, or an event could not be read.

    Attributes:
        items: one of these it was.
        handler: the handler's name.
        error: what was raised.
    """

    def __init__(self, items: Sequence[Item], handler: str, error: Exception) -> None:
        super().__init__(str(error))
        self.items = items
        self.handler = handler
        self.error = error


def handle(projection: Projection, items: Iterable[Item], connection: Any = None) -> None:
    """Hand events to a projection's handlers.

    Args:
        connection: for handlers that take one.

    Raises:
        Raised: a handler has. What it had done is for the caller to undo.
    """
    known: Mapping[str, Handler] = handlers(type(projection))
    together: list[Item] = []
    current: Handler | None = None
    for item in items:
        handler = known[item.name]
        if together and handler is not current:
            _call(projection, current or handler, together, connection)
            together = []
        current = handler
        if item.recorded is None:
            assert item.why is not None
            if together:
                _call(projection, handler, together, connection)
                together = []
            raise Raised([item], handler.name, item.why)
        if handler.many:
            together.append(item)
        else:
            _call(projection, handler, [item], connection)
    if together and current is not None:
        _call(projection, current, together, connection)


def _call(projection: Projection, handler: Handler, items: list[Item], connection: Any) -> None:
    given: Any = [item.recorded for item in items] if handler.many else items[0].recorded
    method = getattr(projection, handler.name)
    try:
        if handler.writes:
            method(given, connection)
        else:
            method(given)
    except Exception as e:
        raise Raised(items, handler.name, e) from e


def said(error: Exception) -> str:
    """An error for people, not long."""
    line = f"{type(error).__name__}: {error}".strip()
    return line if len(line) <= _MOST_SAID else line[:_MOST_SAID] + "…"


def stopped(projection: type[Projection], item: Item, handler: str, error: Exception) -> ProjectionStopped:
    """What is said of a projection that goes no further."""
    return ProjectionStopped(
        f"projection {name_of(projection)} stands before {item.type} of run '{item.run_id}' (partition {item.partition}, "
        f"offset {item.offset}): {projection.__name__}.{handler} failed with {said(error)}. Mend it and start again, from "
        'this event; or pass such events over, into a table of their own: on_error = "skip"'
    )
