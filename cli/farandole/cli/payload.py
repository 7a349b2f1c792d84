"""JSON at the command line, and the events that it stands for."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from farandole.reactors import Choreography
from farandole.schemas import Answer, Event, Signal, Start, event_info, with_fields

from .errors import CliError, did_you_mean, one_line

_JSON: Final = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


def event(choreography: Choreography, name: str, text: str, kind: type[Start] | type[Signal] | type[Answer]) -> Event:
    """The event that a name and JSON stand for.

    Args:
        name: with or without the choreography's.
        text: JSON, ``@file``, or ``-`` for stdin.
        kind: what it must be.

    Raises:
        CliError: there is no such event, or the JSON does not fit it; names the field.
    """
    plain = name.removeprefix(f"{choreography.name}.")
    cls = choreography.events.get(plain)
    wanted = event_info(kind).kind
    known = [n for n, c in choreography.events.items() if issubclass(c, kind)]
    if cls is None:
        raise CliError(_unknown(choreography, plain, wanted, known))
    if not issubclass(cls, kind):
        raise CliError(
            f"{plain} is no {wanted.capitalize()}, but of kind {event_info(cls).kind}{did_you_mean(plain, known)}"
        )
    return _read(cls, plain, _text(text))


def _unknown(choreography: Choreography, name: str, kind: str, known: Sequence[str]) -> str:
    """An app knows only the events of its own service, so that a name may be right and the app another one's."""
    said = f"service {choreography.service} does not know {name}"
    near = did_you_mean(name, known)
    if "did you mean" in near:
        return said + near
    takes = "begins with" if kind == "start" else "takes"
    return f"{said}; name the app of a service that {takes} it, or make it known to this one by know({name})" + (
        f"; it knows {', '.join(sorted(known))}" if known else ""
    )


def _text(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise CliError(f"{text[1:]} is not a text in UTF-8") from e


def changed(before: Event, name: str, text: str) -> Event:
    """An event with other values in some of its fields.

    Args:
        text: these, as JSON; ``@file``, or ``-`` for stdin.

    Raises:
        CliError: the JSON does not fit; names the field.
    """
    fields = _fields(name, _text(text))
    try:
        return with_fields(before, fields)
    except ValidationError as e:
        raise _misfit(type(before), name, e) from None


def _fields(name: str, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as e:
        raise CliError(f"{name}: this is not JSON ({one_line(e)})") from None
    if not isinstance(data, dict):
        raise CliError(f"{name}: its fields come as a JSON object, {{…}}, not as {_JSON[type(data)]}")
    return data


def _read(cls: type[Event], name: str, text: str) -> Event:
    _fields(name, text)
    try:
        return cls.model_validate_json(text)
    except ValidationError as e:
        raise _misfit(cls, name, e) from None


def _misfit(cls: type[Event], name: str, e: ValidationError) -> CliError:
    """Not to be raised from the error itself, whose text quotes what was given."""
    problems = e.errors(include_input=False, include_url=False)
    return CliError("; ".join(_problem(cls, name, each["loc"], each["msg"]) for each in problems))


def _problem(cls: type[Event], name: str, loc: tuple[int | str, ...], message: str) -> str:
    if message == "Extra inputs are not permitted":
        return f"{name} has no field '{loc[-1]}'{did_you_mean(str(loc[-1]), cls.model_fields)}"
    where = ".".join(str(part) for part in (name, *loc))
    return f"{where}: {message[:1].lower()}{message[1:]}"
