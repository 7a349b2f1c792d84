"""The kinds of events that users derive from.

A class of events is declared by deriving; everything wrong with it is a `DeclarationError` there and then. Concrete
events are final, for events are matched by name and never by base; only ``abstract=True`` classes and generic ones can
be extended. `Event` has no public attribute of its own: all names are free for fields.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from .declaration import declare
from .info import EventInfo, Kind, keep_info


class Event(BaseModel):
    """An immutable fact, named in the past tense, that reactors emit. The base of all kinds of events.

    Class keywords:
        name: the name on the wire instead of the class's; keep it when a class is renamed.
        version: raised, with an upcaster from each version before, when recorded events do not fit the new fields.
        abstract: a base for shared fields, not an event of its own.
        wants_reactor: False if nobody need react to it.
    """

    # Errors about events become records of the log: they must not carry what the fields hold.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        # The check for what Avro can say comes with a cure; pydantic's own, which would come first, has another one.
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    def __init_subclass__(cls, **keywords: Any) -> None:
        # The keywords are for `declare`, once the class is whole. Type checkers leave them to pydantic's metaclass.
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        super().__pydantic_init_subclass__()
        declare(cls, **keywords)


class Start(Event, abstract=True):
    """An event that opens a run: sent by a client, a schedule or a parent run.

    Class keywords, besides those of `Event`:
        deadline: a run that has not ended by then fails, for example ``"7d"``.
    """


class Signal(Event, abstract=True):
    """An event that comes into an open run from outside: the only kind that a client can send into one."""


class Answer(Event, abstract=True):
    """A person's answer to a decision."""

    by: str = ""
    """Who answered; filled in by whoever takes the answer."""
    comment: str = ""


class End(Event, abstract=True):
    """An event that ends its run, which has it as its result.

    Class keywords, besides those of `Event`:
        final: drop what is still owed; else it is still done.
        compensate: undo what the run's steps did, the last first.
    """


_KINDS: dict[type[Event], Kind] = {Event: "event", Start: "start", Signal: "signal", Answer: "answer", End: "end"}
for _base, _kind in _KINDS.items():
    keep_info(_base, EventInfo(_base.__name__, 1, _kind, True, False, False, None, True, {}))
