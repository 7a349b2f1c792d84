"""What an agent is told and says may be what its events mark as secret or personal; so its own events bear the mark."""

import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

from pydantic import BaseModel

from farandole.schemas import Event, Mark, Marked, Personal, Secret
from farandole.schemas.avro import Unsayable, derive

SPOKEN: Final = ("parts", "instructions", "about", "message", "args", "content", "output", "state")
"""Fields of an agent's events that hold what was said, or whom it was about."""


def mark_of(*annotations: Any) -> Mark | None:
    """The mark that what is said in an agent's conversations bears: the strictest in what is told in them.

    A model repeats what it was told, and nobody can tell which word came from which field: so one marked field marks all.
    """
    marked = Marked()
    for event in (event for annotation in annotations for event in _events(annotation)):
        try:
            marked.learn(derive(event, event.__name__, 1).schema)
        except Unsayable:  # the choreography says so where it is declared
            continue
    return strictest(mark for mark in (Secret, Personal) if marked.fields(mark))


def strictest(marks: Iterable[Mark | None]) -> Mark | None:
    """The one among some marks that keeps from most eyes what bears it."""
    found = set(marks)
    return next((mark for mark in (Secret, Personal) if mark in found), None)


def spoken_in(base: type[BaseModel], mark: Mark | None) -> dict[str, Any]:
    """What the body of a class made of this one holds, so that its spoken fields bear a mark."""
    spoken = (name for name in SPOKEN if name in base.model_fields)
    fields: dict[str, Any] = {} if mark is None else {name: base.model_fields[name] for name in spoken}
    annotations = {name: Annotated[field.annotation, *field.metadata, mark] for name, field in fields.items()}
    defaults = {name: field.default for name, field in fields.items() if not field.is_required()}
    return {"__annotations__": annotations, **defaults} if annotations else {}


def _events(annotation: Any) -> Iterator[type[Event]]:
    if isinstance(annotation, type) and issubclass(annotation, Event):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _events(inner)
