"""Forms: what fields an event has, for whoever fills them in."""

from typing import Any, Final

from farandole.schemas import Answer, Event, event_info

from .acts.events import event_class
from .desk import Desk

_OF_ANSWERS: Final = frozenset({"by", "comment"})
"""Fields that the door fills in, or that each form has by itself."""


def form_of(desk: Desk, name: str) -> dict[str, Any]:
    """The JSON schema of an event's fields. Of an answer, without who gives it and the comment.

    Args:
        name: with the choreography's or without.

    Raises:
        Problem: this server does not know it.
    """
    cls = event_class(desk, name, Event)
    schema = cls.model_json_schema(mode="validation")
    if issubclass(cls, Answer):
        schema["properties"] = {k: v for k, v in schema.get("properties", {}).items() if k not in _OF_ANSWERS}
        schema["required"] = [k for k in schema.get("required", ()) if k not in _OF_ANSWERS]
    return {**schema, "title": event_info(cls).name}
