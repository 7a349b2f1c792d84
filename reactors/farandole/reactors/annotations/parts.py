"""A signature as data: what starts a reactor, what it is given besides, and what it may return."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from farandole.schemas import Event

from .gives import Outputs

ElementForm = Literal["event", "failed", "child_done", "child_failed"]
TriggerForm = Literal["event", "failed", "child_done", "child_failed", "list", "either"]


@dataclass(frozen=True, slots=True)
class Element:
    """One form of trigger with the events that it is about; no events means any (a bare ``Failed``)."""

    form: ElementForm
    events: tuple[type[Event], ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A parameter that starts the reactor; several of them are joined.

    Attributes:
        param: the name of the parameter.
        form: ``event`` for ``A | B``, ``failed`` for ``Failed[A]``, ``list`` for a fan-in, and so on; ``either`` for a
            union of different forms.
        elements: what it takes, each form once; those of its elements for a list.
    """

    param: str
    form: TriggerForm
    elements: tuple[Element, ...]

    @property
    def events(self) -> tuple[type[Event], ...]:
        """All events that the parameter names, in order; none for a bare ``Failed``."""
        return tuple(dict.fromkeys(event for element in self.elements for event in element.events))


@dataclass(frozen=True, slots=True)
class Context:
    """A parameter that the worker fills in.

    Attributes:
        kind: what it is.
        of: the start events of ``Run[S]`` (none if bare), or the one `State` class.
    """

    kind: Literal["step", "run", "state"]
    of: tuple[type[Any], ...] = ()


@dataclass(frozen=True)
class Signature:
    """What a reactor subscribes to and may return, read off its annotations.

    Attributes:
        triggers: the parameters that start it, in order; more than one is a join.
        context: the parameters that are filled in from the step and its run.
        provided: the other parameters, each with the type or NewType that its provider is found by.
        gives: what it may return.
        is_async: a coroutine function; a plain one runs in a thread.
    """

    triggers: tuple[Trigger, ...]
    context: Mapping[str, Context]
    provided: Mapping[str, Any]
    gives: Outputs
    is_async: bool

    def events(self) -> Iterator[type[Event]]:
        """Every event class that the signature names, repeats included."""
        for trigger in self.triggers:
            yield from trigger.events
        for context in self.context.values():
            if context.kind == "run":
                yield from context.of
            elif context.kind == "state":
                for state in context.of:
                    yield from state.folds()
        yield from self.gives.events
