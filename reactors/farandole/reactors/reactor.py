"""A reactor, declared: its function, what its signature says, and its options."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from farandole.schemas import DeclarationError, Event

from .annotations import Element, Signature, read_signature
from .annotations.kinds import concrete, is_event
from .options import ReactorOptions


@dataclass(frozen=True, slots=True)
class Reactor:
    """A named function that subscribes to events and returns the next ones.

    Attributes:
        name: unique in its choreography.
        choreography: the name of its choreography.
        fn: the function as it was decorated, with all decorators below `@reactor` around it.
        signature: what it takes and may return.
        options: how it is run.
        undo: what compensates its steps, if something does: a function with a signature of its own.
        undoes: whether it is what compensates the steps of the reactor of its name.
    """

    name: str
    choreography: str
    fn: Callable[..., Any]
    signature: Signature
    options: ReactorOptions
    undo: "Reactor | None" = None
    undoes: bool = False

    @property
    def where(self) -> str:
        """How messages name it: ``orders.take_payment``."""
        return f"{self.choreography}.{self.name}{': compensate' if self.undoes else ''}"

    @property
    def id(self) -> str:
        """Its name, which what compensates its steps shares with it, told apart from that one's."""
        return f"{self.name}\0undo" if self.undoes else self.name

    def handlers(self) -> "Iterator[Reactor]":
        """Itself, and what compensates its steps."""
        yield self
        if self.undo is not None:
            yield self.undo

    @property
    def takes_failures(self) -> bool:
        """Whether final failures start it, alone or among other things. No reactor catches its failures."""
        return any(e.form == "failed" for t in self.signature.triggers for e in t.elements)

    @property
    def gathers(self) -> bool:
        """Whether it is a fan-in."""
        return any(trigger.form == "list" for trigger in self.signature.triggers)

    @property
    def takes_run(self) -> bool:
        """Whether it looks back at the run's history, by a `Run` or a `State`, or what compensates it does."""
        return any(
            context.kind in ("run", "state")
            for handler in self.handlers()
            for context in handler.signature.context.values()
        )

    def events(self) -> Iterator[type[Event]]:
        """Every event class that its signature and options name, repeats included."""
        for handler in self.handlers():
            yield from handler.signature.events()
        yield from self.options.unless
        if self.options.each is not None:
            yield self.options.each


def declare(choreography: str, fn: Callable[..., Any], options: ReactorOptions) -> Reactor:
    """Read a function as a reactor.

    Raises:
        DeclarationError: its signature breaks a rule, or an option does not go with it.
    """
    where = f"{choreography}.{options.name}"
    reactor = Reactor(options.name, choreography, fn, read_signature(fn, where), options)
    _check_options(reactor)
    return reactor if options.compensate is None else replace(reactor, undo=_compensation(reactor, options.compensate))


def _check_options(reactor: Reactor) -> None:
    signature, options, where = reactor.signature, reactor.options, reactor.where
    forms = {trigger.form for trigger in signature.triggers}
    if options.of is not None and not reactor.takes_failures:
        raise DeclarationError(f"{where}: of= narrows a Failed[...] to one reactor, but it takes none")
    for trigger in signature.triggers if len(signature.triggers) > 1 else ():
        if trigger.form == "list":
            raise DeclarationError(
                f"{where}: '{trigger.param}' is a fan-in, which is joined with nothing; take a Run[...] and look at other "
                "events by run.events(...)"
            )
        if trigger.form != "event":
            raise DeclarationError(
                f"{where}: '{trigger.param}' is no plain event, and only those are joined; take it alone, and a Run[...] "
                "to look at other events by run.events(...)"
            )
    for option in ("each", "enough", "within"):
        if getattr(options, option) is not None and "list" not in forms:
            raise DeclarationError(f"{where}: {option}= is about a fan-in, but it takes no list[...]")
    if options.unless and "after" not in signature.gives.shapes():
        raise DeclarationError(f"{where}: unless= drops the timer of an After[...], but it returns none")
    for option, named in (("unless", options.unless), ("each", (options.each,) if options.each else ())):
        for event in named:
            if not is_event(event):
                raise DeclarationError(f"{where}: {option}={event!r} is no event")
            concrete(event, where)


def _compensation(reactor: Reactor, undo: Callable[..., Any]) -> Reactor:
    """A compensation is read like a reactor; it takes what the step took or emitted, and emits nothing.

    Raises:
        DeclarationError: it does not.
    """
    signature = read_signature(undo, f"{reactor.where}: compensate")
    if not signature.gives.nothing:
        raise DeclarationError(
            f"{reactor.where}: its compensation returns something; write -> None, for it only undoes what was done"
        )
    seen = {Element("event", (event,)) for t in reactor.signature.triggers for event in t.events}
    seen |= {Element("event", (event,)) for event in reactor.signature.gives.events}
    for trigger in signature.triggers:
        if trigger.form != "event":
            raise DeclarationError(
                f"{reactor.where}: its compensation takes '{trigger.param}', which is no event by itself; it takes "
                "events that the step took or returned, one in each parameter"
            )
        for element in trigger.elements:
            for event in element.events:
                if Element(element.form, (event,)) not in seen:
                    raise DeclarationError(
                        f"{reactor.where}: its compensation takes {event.__name__}, "
                        "which the step neither takes nor returns"
                    )
    return Reactor(reactor.name, reactor.choreography, undo, signature, reactor.options, undoes=True)
