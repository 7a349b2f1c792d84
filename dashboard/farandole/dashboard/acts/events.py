"""Events from what somebody sent as JSON."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from farandole.dashboard.desk import Desk
from farandole.dashboard.errors import Problem
from farandole.schemas import Event, event_info, with_fields

E = TypeVar("E", bound=Event)


def event_class(desk: Desk, name: str, kind: type[E]) -> type[E]:
    """The class of an event that this process knows.

    Args:
        name: with the choreography's or without.
        kind: what it must be.

    Raises:
        Problem: there is none such.
    """
    plain = name.removeprefix(f"{desk.choreography}.")
    cls = desk.events.get(plain)
    if cls is not None and issubclass(cls, kind):
        return cls
    wanted = "event" if kind is Event else event_info(kind).kind
    known = sorted(n for n, c in desk.events.items() if issubclass(c, kind))
    if cls is not None:
        detail, cure = (
            f"{plain} is no {wanted}, but of kind {event_info(cls).kind}.",
            "Name one of those that are known.",
        )
    elif not desk.events:
        detail = "This server has no code of the choreography, so it knows no event by its class."
        cure = "Serve it with its app: farandole serve app:choreography."
    else:
        near = get_close_matches(plain, known, n=3)
        detail = f"This server knows no {wanted} of that name."
        cure = f"Did you mean {' or '.join(near)}?" if near else "Name one of those that are known."
    raise Problem(422, "Unknown event", detail, cure, known=known)


def event_of(desk: Desk, name: str, payload: Mapping[str, Any], kind: type[E]) -> E:
    """An event of a name, with these fields.

    Raises:
        Problem: there is none such, or the fields do not fit it. It does not say what was sent.
    """
    return filled(event_class(desk, name, kind), payload)


def filled(cls: type[E], payload: Mapping[str, Any]) -> E:
    """An event of a class, with these fields.

    Raises:
        Problem: they do not fit it. It does not say what was sent.
    """
    try:
        return cls.model_validate_json(json.dumps(payload))
    except ValidationError as e:
        misfit = _misfit(cls, e)
    raise misfit


def changed(before: E, payload: Mapping[str, Any]) -> E:
    """An event with other values in these fields; of a field that is a model, in those of its own that are named.

    Raises:
        Problem: they do not fit it. It does not say what was sent.
    """
    try:
        return with_fields(before, payload)
    except ValidationError as e:
        misfit = _misfit(type(before), e)
    raise misfit


def _misfit(cls: type[Event], e: ValidationError) -> Problem:
    name = event_info(cls).name
    found = e.errors(include_input=False, include_url=False, include_context=False)
    wrong = [{"where": ".".join(map(str, (name, *each["loc"]))), "what": each["msg"]} for each in found]
    said = "; ".join(f"{each['where']}: {each['what']}" for each in wrong[:5])
    return Problem(422, "Does not fit", said, f"See /api/v1/forms/{name}.", problems=wrong)
