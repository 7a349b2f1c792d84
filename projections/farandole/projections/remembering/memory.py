"""`Memory`: a projection that keeps what is known of persons or topics, in whichever runs it happened.

class Customers(Memory):
    @on
    def refunded(self, refunded: Recorded[Refunded]) -> Fact:
        return Fact(about=refunded.event.customer, text=f"was paid back {refunded.event.amount}")
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, Table, delete, select

from farandole.projections.custom import Projection, name_of
from farandole.projections.custom.declaring import table, upsert
from farandole.projections.custom.projection import handlers
from farandole.projections.marking import on, taken_by
from farandole.projections.recorded import Recorded
from farandole.schemas import DeclarationError

from .events import Remembered
from .facts import Fact, Forget, Remembrance, Told, each_of

Teller = Callable[[Any, Any], Told]


class Memory(Projection):
    """The base of memories. `on` methods take events, each ``Recorded[A]``, and return what is to be remembered: a
    `Fact`, a `Forget`, several of these, or None. What agents and reactors told it by `Remembered` it keeps by itself.

    It is a projection as any other, in the table ``memory_<name>``: kept by a projector, made anew from the log, verified.
    Its rows do not depend on the order in which partitions are read: what is forgotten is all that came before it, by the
    time of the log, and of the same millisecond what other events gave. A release that has them in another form makes them
    anew by itself.

    Raises:
        DeclarationError: at the class: a method that cannot be.
    """

    _form = 1
    _tellers: ClassVar[Mapping[str, Teller]] = MappingProxyType({})
    kept: ClassVar[Table]
    forgotten: ClassVar[Table]

    def __init_subclass__(cls, *, name: str | None = None, **more: Any) -> None:
        own = {key: method for key, method in vars(cls).items() if taken_by(method) is not None}
        for key, method in own.items():
            setattr(cls, key, _keeping(method))
        cls._tellers = MappingProxyType({**cls._tellers, **own})
        word = re.sub(r"(?<!^)(?=[A-Z])", "_", name or cls.__name__).lower()
        cls.kept = table(f"memory_{word}", {"about": str, "fact": str}, text=str, at=int, run_id=str, by=str)
        cls.forgotten = table(f"memory_{word}_forgotten", {"about": str, "fact": str}, at=int, event=str)
        super().__init_subclass__(name=name, **more)
        if many := next((handler.name for handler in handlers(cls).values() if handler.many), None):
            raise DeclarationError(f"{cls.__name__}.{many}: a memory is told event by event; take Recorded[...]")

    @on
    def remembered(self, remembered: Recorded[Remembered], db: Connection) -> None:
        """Keep what was told by name."""
        self._keep(told_by_name(type(self), remembered), remembered, db)

    def _keep(self, told: Told, recorded: Recorded, db: Connection) -> None:
        mark = Mark(milliseconds(recorded.at), recorded.id)
        forgets, facts = parted(told, recorded)
        for what in forgets:
            self._forget(what, mark, db)
        for fact in facts:
            if not any(each.hits(mark) for each in self._marks(fact, db)):
                key = {"about": fact.about, "fact": fact.id}
                upsert(db, self.kept, key, put={"text": fact.text, "at": mark.at, "run_id": fact.run_id, "by": fact.by})

    def _forget(self, what: Forget, mark: "Mark", db: Connection) -> None:
        kept, gone = self.kept.c, self.forgotten.c
        those = [kept.about == what.about, kept.at <= mark.at, *([kept.fact == what.fact] if what.fact else [])]
        db.execute(delete(self.kept).where(*those))
        query = select(gone.at, gone.event).where(gone.about == what.about, gone.fact == what.fact)
        before = [Mark(row.at, row.event) for row in db.execute(query)]
        upsert(db, self.forgotten, {"about": what.about, "fact": what.fact}, put=mark.joined(*before)._asdict())

    def _marks(self, fact: Remembrance, db: Connection) -> "list[Mark]":
        gone = self.forgotten.c
        query = select(gone.at, gone.event).where(gone.about == fact.about, gone.fact.in_(("", fact.id)))
        return [Mark(row.at, row.event) for row in db.execute(query)]

    @classmethod
    def held(cls) -> "Held":
        """The same memory as an object, without a database: it has what it is given, and no more."""
        return _held(cls)()


class Held(Projection):
    """A memory in this process."""

    memory: ClassVar[type[Memory]]

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Remembrance]] = {}
        self.forgotten: dict[tuple[str, str], Mark] = {}

    def keep(self, told: Told, recorded: Recorded) -> None:
        """Take what one event tells."""
        mark = Mark(milliseconds(recorded.at), recorded.id)
        forgets, facts = parted(told, recorded)
        for what in forgets:
            key = (what.about, what.fact)
            before = [self.forgotten[key]] if key in self.forgotten else []
            self.forgotten[key] = mark.joined(*before)
            left = self.kept.get(what.about, {})
            for id in [id for id, fact in left.items() if what.fact in ("", id) and milliseconds(fact.at) <= mark.at]:
                del left[id]
        for fact in facts:
            marks = [self.forgotten[key] for id in ("", fact.id) if (key := (fact.about, id)) in self.forgotten]
            if not any(each.hits(mark) for each in marks):
                self.kept.setdefault(fact.about, {})[fact.id] = fact


class Mark(NamedTuple):
    """When something was told or forgotten, and by which event."""

    at: int
    """Milliseconds of log time."""
    event: str
    """Its id; empty: several have, in the same millisecond."""

    def joined(self, *others: "Mark") -> "Mark":
        """The later one. It is the same in whatever order they come."""
        at = max(self.at, *(each.at for each in others)) if others else self.at
        events = {each.event for each in (self, *others) if each.at == at}
        return Mark(at, events.pop() if len(events) == 1 else "")

    def hits(self, told: "Mark") -> bool:
        """Whether what was told is forgotten by this: it came before, or at once and of another event."""
        return told.at < self.at or (told.at == self.at and told.event != self.event)


def parted(told: Told, recorded: Recorded) -> tuple[list[Forget], list[Remembrance]]:
    """What one event has forgotten, and what it has kept afterwards."""
    each = list(enumerate(each_of(told)))
    facts = [remembrance(one, number, recorded) for number, one in each if isinstance(one, Fact)]
    return [one for _, one in each if isinstance(one, Forget)], facts


def remembrance(fact: Fact, number: int, recorded: Recorded) -> Remembrance:
    """A fact as it is kept.

    Args:
        number: among those that one event tells.
    """
    by = recorded.event.by if isinstance(recorded.event, Remembered) else recorded.reactor
    id = f"{recorded.id}-{number}" if number else recorded.id
    return Remembrance(id, fact.about, fact.text, recorded.at, recorded.run_id, by or recorded.reactor)


def told_by_name(memory: type[Memory], remembered: Recorded[Remembered]) -> Fact | None:
    """What an event tells this memory."""
    event = remembered.event
    return Fact(event.about, event.text) if event.memory == name_of(memory) else None


def milliseconds(at: datetime) -> int:
    """A log time as the tables have it."""
    return round(at.timestamp() * 1000)


def instant(at: int) -> datetime:
    """The reverse."""
    return datetime.fromtimestamp(at / 1000, UTC)


def _keeping(teller: Teller) -> Any:
    def keep(self: Memory, recorded: Recorded, db: Connection) -> None:
        self._keep(teller(self, recorded), recorded, db)

    return _handler(keep, teller, {"db": Connection})


def _held(memory: type[Memory]) -> type[Held]:
    teller = memory()
    body: dict[str, Any] = {"memory": memory, "__module__": memory.__module__}
    for name, fn in memory._tellers.items():
        body[name] = _holding(partial(fn, teller), fn)
    body["remembered"] = _holding(partial(told_by_name, memory), Memory.remembered)
    made: type[Held] = type(name_of(memory), (Held,), body)
    return made


def _holding(tell: Callable[[Recorded], Told], like: Any) -> Any:
    def keep(self: Held, recorded: Recorded) -> None:
        self.keep(tell(recorded), recorded)

    return _handler(keep, like, {})


def _handler(made: Any, like: Any, more: dict[str, Any]) -> Any:
    """A method that takes what another one takes."""
    made.__annotations__ = {"recorded": taken_by(like), **more, "return": None}
    made.__name__, made.__qualname__, made.__module__ = like.__name__, like.__qualname__, like.__module__
    return on(made)
