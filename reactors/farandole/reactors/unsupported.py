"""What can be declared but not run yet. To support a form, take it out of the table."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from farandole.schemas import DeclarationError, Event, event_info

from .reactor import Reactor

T = TypeVar("T")

UNSUPPORTED: Final[Mapping[str, str]] = {
    "list[...]": "emit a fixed number of events as a tuple[...], and take events one by one",
    "After[...]": "until timers are there, let a client send a Signal when it is time",
    "Ask[...]": "until decisions are there, let a client send the answer as a Signal",
    "an Answer": "until decisions are there, make it a Signal",
    "State": "take a Run[...] and fold what run.events(...) gives",
    "Failed[...] in a join": "take the failure alone, and the other events by run.events(...)",
    "unless=": "leave it out",
    "each=": "leave it out",
    "enough=": "leave it out",
    "within=": "leave it out",
    "compensate=": "write a reactor that takes the failure and undoes the step",
    "step.once(...)": "give each sub-step a reactor of its own, or make the handler safe to run again by step.key",
    "deadline=": "until deadlines are there, let a client cancel the run when it is time",
    "compensate=True": "return what undoes the steps from reactors of your own",
}

_SHAPES = {"list": "list[...]", "after": "After[...]", "ask": "Ask[...]"}


def refuse_unsupported(where: str, used: Iterable[str]) -> None:
    """Refuse what the table names.

    Args:
        used: what a declaration uses, in the words of the table; other words are passed over.

    Raises:
        DeclarationError: it uses what is not supported yet.
    """
    for form in used:
        if form in UNSUPPORTED:
            raise DeclarationError(f"{where}: {form} is not supported yet; {UNSUPPORTED[form]}")


def forms_of_event(event: type[Event]) -> Iterator[str]:
    """What an event declares, in the words of the table."""
    info = event_info(event)
    if info.deadline is not None:
        yield "deadline="
    if info.compensate:
        yield "compensate=True"


class NoSubsteps:
    """The `Substeps` of a worker that cannot record any: `Step.once` fails its step for good, and calls nothing."""

    def __init__(self, where: str) -> None:
        self._where = where

    async def once(
        self, name: str, fn: Callable[..., Awaitable[T]], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> T:
        """Refuse.

        Raises:
            DeclarationError: always.
        """
        refuse_unsupported(self._where, ("step.once(...)",))
        return await fn(*args, **kwargs)


def forms_of(reactor: Reactor) -> Iterator[str]:
    """What a reactor uses, in the words of the table."""
    triggers = reactor.signature.triggers
    for trigger in triggers:
        if trigger.form == "list":
            yield "list[...]"
        if any(event_info(event).kind == "answer" for event in trigger.events):
            yield "an Answer"
        for element in trigger.elements:
            if element.form == "failed" and len(triggers) > 1:
                yield "Failed[...] in a join"
    if any(context.kind == "state" for context in reactor.signature.context.values()):
        yield "State"
    shapes = reactor.signature.gives.shapes()
    yield from (name for shape, name in _SHAPES.items() if shape in shapes)
    yield from reactor.options.used()
