"""What was used of something that is paid for by its use, as models of language are; and how that is said.

    class Translated(Event):
        text: str
        usage: Usage

A `Usage` counts wherever it stands: in an event, in a model or a list that the event holds, in what a sub-step returned.
An event whose own fields say the same marks them instead, as ``tokens: Annotated[int, Used.input_tokens]``; if it tells what
a sub-step has told, it says so in a field that is marked ``Used.elsewhere``, and counts as nothing. Nothing else makes an event of that kind, so that read models need to know nobody who uses anything.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException
from functools import cache
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, computed_field

from .marks import USAGE, Mark, Marked, Used, marks_among

COUNTS_AS: Final = "farandole.usage"
"""What a `Usage` has as ``counts_as`` in JSON, which knows no types."""
_MOST: Final = 2**40
"""Of what one event can say, so that a sum over many is a number that databases have."""
_ELSEWHERE: Final = Used.elsewhere.name.rpartition(".")[2]
_PICO: Final = 10**12
_MOST_USD: Final = Decimal(100_000)


class Usage(BaseModel):
    """What one call of a model, or some together, used.

    Attributes:
        model: the model that was called, as it calls itself.
        agent: who called it; empty: the reactor.
        calls: how many calls it is of.
        input_tokens, output_tokens: in and out, those of caches among them.
        cache_read_tokens, cache_write_tokens: how many of them were read from a cache, or written to it.
        cost: in US dollars; None if nobody knows the price.
    """

    model_config = ConfigDict(frozen=True)

    model: Annotated[str, Used.model] = ""
    agent: Annotated[str, Used.agent] = ""
    calls: Annotated[int, Used.calls] = Field(default=1, ge=0)
    input_tokens: Annotated[int, Used.input_tokens] = Field(default=0, ge=0)
    output_tokens: Annotated[int, Used.output_tokens] = Field(default=0, ge=0)
    cache_read_tokens: Annotated[int, Used.cache_read_tokens] = Field(default=0, ge=0)
    cache_write_tokens: Annotated[int, Used.cache_write_tokens] = Field(default=0, ge=0)
    cost: Annotated[Decimal | None, Used.cost] = None

    @computed_field
    def counts_as(self) -> Literal["farandole.usage"]:
        """By which it is known in JSON."""
        return COUNTS_AS


class Usages:
    """Finds what was used in values that were read without their classes, by the marks in their schemas."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, str]] = {}
        """By the name of a record, its fields that are marked, each with what it says."""
        self._holding: set[str] = set()
        """Names of events that hold such records, or are one."""

    def learn(self, schema: Mapping[str, Any]) -> None:
        """Take note of the marks in the schema of an event."""
        marked = Marked([schema])
        for mark in USAGE:
            for record, field in marked.fields(mark):
                self._fields.setdefault(record, {})[field] = _part(mark)
                self._holding.add(schema["name"])

    def of_event(self, fields: Mapping[str, Any]) -> tuple[Usage, ...]:
        """What an event says that was used.

        Args:
            fields: of the event, as `PlainValues` reads them.
        """
        if getattr(fields, "avro_name", None) not in self._holding:
            return ()
        return tuple(self._found(fields))

    def _found(self, value: Any) -> Iterator[Usage]:
        if isinstance(value, list):
            for each in value:
                yield from self._found(each)
        elif isinstance(value, dict):
            parts = self._fields.get(getattr(value, "avro_name", ""))
            if parts:
                yield from _counted((part, value.get(field)) for field, part in parts.items())
            for each in value.values():
                yield from self._found(each)


def usage_in_json(text: str) -> tuple[Usage, ...]:
    """What the result of a sub-step, or any other JSON, says that was used."""
    if COUNTS_AS not in text:
        return ()
    try:
        return tuple(_in_json(json.loads(text)))
    except (ValueError, RecursionError):
        return ()


def usage_in(event: BaseModel) -> tuple[Usage, ...]:
    """What an event says that was used."""
    return tuple(_in_model(event)) if says_usage(type(event)) else ()


@cache
def says_usage(cls: type[BaseModel]) -> bool:
    """Whether events of a class may say that something was used."""
    return _says(cls, set())


def picodollars(cost: Decimal | None) -> int | None:
    """US dollars as a whole number, exact to twelve places, up to 100 000."""
    if cost is None:
        return None
    return int(((_money(cost) or Decimal(0)) * _PICO).to_integral_value(ROUND_HALF_EVEN))


def dollars(pico: int) -> Decimal:
    """The number as US dollars."""
    return (Decimal(pico) / _PICO).normalize() + 0


def _says(cls: type[BaseModel], seen: set[type]) -> bool:
    if cls in seen:
        return False
    seen.add(cls)
    if _marked(cls):
        return True
    return any(_says(inner, seen) for field in cls.model_fields.values() for inner in _models_in(field.annotation))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


@cache
def _marked(cls: type[BaseModel]) -> Mapping[str, str]:
    return {
        name: _part(mark)
        for name, field in cls.model_fields.items()
        for mark in marks_among(field.metadata)
        if mark in USAGE
    }


@cache
def _saying(cls: type[BaseModel]) -> Sequence[str]:
    """The fields of a class that may hold what says so."""
    return [
        name
        for name, field in cls.model_fields.items()
        if any(_says(inner, set()) for inner in _models_in(field.annotation))
    ]


def _in_model(value: Any) -> Iterator[Usage]:
    if isinstance(value, BaseModel):
        if parts := _marked(type(value)):
            yield from _counted((part, getattr(value, field)) for field, part in parts.items())
        for field in _saying(type(value)):
            yield from _in_model(getattr(value, field))
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _in_model(each)
    elif isinstance(value, dict):
        yield from _in_model(list(value.values()))


def _in_json(value: Any) -> Iterator[Usage]:
    if isinstance(value, list):
        for each in value:
            yield from _in_json(each)
    elif isinstance(value, dict):
        if value.get("counts_as") == COUNTS_AS:
            yield _usage((name, value[name]) for name in Usage.model_fields if name in value)
        for each in value.values():
            yield from _in_json(each)


def _counted(parts: Iterable[tuple[str, Any]]) -> Iterator[Usage]:
    """What an event says in fields of its own, unless it is counted elsewhere."""
    said = dict(parts)
    if said.pop(_ELSEWHERE, False) is not True:
        yield _usage(said.items())


def _usage(parts: Iterable[tuple[str, Any]]) -> Usage:
    """Whoever wrote it may have written anything: what cannot be is taken as not said."""
    said: dict[str, Any] = {}
    for part, value in parts:
        if part == "cost":
            said[part] = _money(value)
        elif part in ("model", "agent"):
            said[part] = value if isinstance(value, str) else ""
        elif isinstance(value, int):
            said[part] = min(max(value, 0), _MOST)
    return Usage(**said)


def _money(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except DecimalException:
        return None
    if not found.is_finite():
        return None
    # Compared without arithmetic: 1E+999999999 is more than any of it takes.
    return found if found.copy_abs() <= _MOST_USD else _MOST_USD.copy_sign(found)


def _part(mark: Mark) -> str:
    return mark.name.rpartition(".")[2]
