"""`Projection`: a read model of one's own, declared as a class.

class OrdersPerDay(Projection):
    version = 1
    days = table("orders_per_day", {"day": date}, orders=int)

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.days, {"day": order.at.date()}, add={"orders": 1})
"""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from farandole.schemas import DeclarationError, Event

from .handlers import Handler, handlers_of
from .versions import A_FORM

if TYPE_CHECKING:
    from sqlalchemy import Table

_MOST_NAME = 63


class Projection:
    """The base of projections. `on` methods take events, `Recorded`: admitted ones, each once, in the order in which
    each partition admitted them. Of two partitions, or two logs, nothing says which event comes first.

    A method that takes ``Iterable[Recorded[A]]`` is given those that come one after the other together, however many
    these happen to be. One that also takes a `sqlalchemy.Connection` writes to tables; what it writes and the place in
    the log up to which that is true are committed together. Where there are tables an object is made for each
    transaction, so what is to be remembered goes into them. Without tables the object itself is the read model.

    Attributes:
        version: raise it when the same events are to make other rows: the new rows are built beside the old ones.
        on_error: what becomes of an event that a handler raised for, or that cannot be read here. ``stop``: this
            projection stands before it until the code is mended. ``skip``: it goes to the table ``projection_errors``.

    Raises:
        DeclarationError: at the class: a handler or a table that cannot be.
    """

    version: ClassVar[int] = 1
    on_error: ClassVar[Literal["stop", "skip"]] = "stop"

    _name: ClassVar[str] = ""
    _form: ClassVar[int] = 0
    """Of classes of ours, whose tables are made by us: raised where a release makes the tables, or their rows, otherwise."""
    _handlers: ClassVar[Mapping[str, Handler]] = MappingProxyType({})
    _tables: ClassVar[Mapping[str, "Table | None"]] = MappingProxyType({})

    def __init_subclass__(cls, *, name: str | None = None, **more: Any) -> None:
        """
        Args:
            name: the projection's, instead of the class's; keep it when the class is renamed.
        """
        super().__init_subclass__(**more)
        cls._name = name or cls.__name__
        if not cls._name.isidentifier() or len(cls._name) > _MOST_NAME:
            raise DeclarationError(f"{cls.__name__}: {cls._name!r} cannot name a projection; it is a name as in Python")
        if type(cls.version) is not int or not 1 <= cls.version < A_FORM:
            raise DeclarationError(
                f"{cls.__name__}: version is a number from 1 on, below {A_FORM:,}, not {cls.version!r}"
            )
        if cls.on_error not in ("stop", "skip"):
            raise DeclarationError(f"{cls.__name__}: on_error is 'stop' or 'skip', not {cls.on_error!r}")
        cls._handlers = MappingProxyType(handlers_of(cls, cls._handlers))
        cls._tables = MappingProxyType({**cls._tables, **_tables_of(cls)})


def name_of(cls: type[Projection]) -> str:
    return cls._name


def handlers(cls: type[Projection]) -> Mapping[str, Handler]:
    """By the names of the events that they take."""
    return cls._handlers


def events_of(cls: type[Projection]) -> tuple[type[Event], ...]:
    """The events that a projection takes.

    Raises:
        DeclarationError: there are none.
    """
    found = {event: None for handler in cls._handlers.values() for event in handler.events}
    if not found:
        raise DeclarationError(f"{cls.__name__}: takes no events; mark its methods with @on")
    return tuple(found)


def tables_of(cls: type[Projection]) -> Mapping[str, "Table | None"]:
    """The tables of a projection; None in the place of one that is made by others."""
    return cls._tables


def writes(cls: type[Projection]) -> bool:
    """Whether it needs a database."""
    return bool(cls._tables) or any(handler.writes for handler in cls._handlers.values())


def _tables_of(cls: type[Projection]) -> dict[str, "Table | None"]:
    own = vars(cls)
    found: dict[str, Table | None] = {}
    named = own.get("table"), *_several(cls, own.get("tables", ()))
    for name in named:
        if isinstance(name, str):
            if not name.isidentifier() or name != name.lower():
                raise DeclarationError(f"{cls.__name__}: {name!r} cannot name a table; use lower-case letters and _")
            found[name] = None
    if (sql := sys.modules.get("sqlalchemy")) is not None:
        for each in (*own.values(), *named):
            if isinstance(each, sql.Table):
                found[each.name] = each
    for name, each in found.items():
        if each is not None and each.schema is not None:
            raise DeclarationError(
                f"{cls.__name__}: table {each.schema}.{name} names a schema; leave it out, for that is where the "
                "projection is"
            )
    return found


def _several(cls: type, tables: Any) -> tuple[Any, ...]:
    if isinstance(tables, str):
        raise DeclarationError(f"{cls.__name__}: tables is a list, as [{tables!r}]")
    return tuple(tables)
