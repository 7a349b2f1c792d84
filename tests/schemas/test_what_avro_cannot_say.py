"""Types without an Avro schema are refused when the class is made, with the field and the cure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from typing import Any, Literal, NotRequired, TypeVar
from uuid import UUID

import pydantic
import pytest
from pydantic import BaseModel, Field, NaiveDatetime
from typing_extensions import TypeAliasType, TypedDict

from farandole.schemas import DeclarationError, Event, EventTypes, Json

T = TypeVar("T")


class Empty(BaseModel): ...


class Loose(BaseModel, extra="allow"): ...


class Hidden(BaseModel):
    secret: str = Field("", exclude=True)


class Inner(BaseModel):
    deep: list[Any]


class Bits(Flag):
    A = 1


class Accent(Enum):
    É = 1


class Half(TypedDict):
    a: NotRequired[int]


@dataclass
class Made:
    a: int = field(init=False, default=1)


class Bank: ...


Loop = TypeAliasType("Loop", "list[Loop] | int")  # type: ignore[misc]
Address = type("Address", (BaseModel,), {"__annotations__": {"a": int}, "__module__": "one"})
Other = type("Address", (BaseModel,), {"__annotations__": {"b": int}, "__module__": "two"})


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Any, "A, field 'x': Avro cannot say Any; use Json for free-form data"),
        (object, "Avro cannot say object; use Json"),
        (Callable[[], int], "Avro cannot say collections.abc.Callable[[], int]; use a pydantic model"),
        (Bank, "Avro cannot say Bank; use a pydantic model, or one of the types that docs/events.md lists"),
        (complex, "Avro cannot say complex; use a model of two floats"),
        (T, "Avro cannot say ~T, a type still open; fix it, as in class GotInt(Got[int])"),
        (dict[int, str], "Avro cannot say dict[int, str], for keys are text; use dict[str, str], or a list of a model"),
        (dict[Bits, int], "Avro cannot say"),
        (dict, "dict does not say what is in it; write dict[str, X], or Json"),
        (list, "list does not say what is in it; write list[X], or Json"),
        (list[Any], "A, field 'x': Avro cannot say Any"),
        (Inner, "A, field 'x.deep': Avro cannot say Any"),
        (list[Inner | None], "A, field 'x.deep': Avro cannot say Any"),
        (NaiveDatetime, "use datetime or AwareDatetime, with a time zone"),
        (pydantic.Json[Any], "a type that decodes"),
        (pydantic.Base64Bytes, "a type that decodes what it is given cannot be read back; use bytes or str"),
        (pydantic.ByteSize, "Avro cannot say ByteSize; use int"),
        (UUID | str, "Avro cannot tell UUID from str in a union (both are 'string'); give each a model of its own"),
        (datetime | int, "Avro cannot tell datetime from int in a union (both are 'long')"),
        (list[int] | list[str], "in a union (both are 'array')"),
        (Decimal | str, "Avro cannot tell Decimal from str"),
        (Json | str, "Avro cannot tell"),
        (Literal["a"] | UUID, "Avro cannot tell"),
        (Half | dict[str, int], "Avro cannot leave out keys of Half (a); make them required, with | None"),
        (list[None], "a list of items without content would let a few bytes become millions of items; give"),
        (list[Empty], "a list of items without content"),
        (dict[str, list[Empty]], "a list of items without content"),
        (Loose, "Loose allows extra fields, which no schema names; give it a field of type Json"),
        (Hidden, "field 'x.secret': a field with exclude=True would be lost; leave exclude out"),
        (Made, "field 'x.a': a dataclass field with init=False cannot be read back"),
        (Bits, "Avro cannot say Bits, a set of flags; use set[...] of an Enum"),
        (Accent, "Avro cannot say the member 'É' of Accent; name members in ASCII"),
        (Literal[Accent.É], "a Literal of enum members has no type of its own in Avro; use the Enum"),
        (Loop, "Avro cannot say Loop, which contains itself; use a model that does, or Json"),
        (
            tuple[Address, Other],
            "two types in it are named Address: one.Address and two.Address; rename one of them, or",
        ),
    ],
)
def test_a_type_that_avro_cannot_say_is_refused(annotation: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        type(Event)("A", (Event,), {"__module__": __name__, "__annotations__": {"x": annotation}})


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (int, None, "A, field 'x': its default holds a NoneType where its schema says long; write int | None"),
        (int, "5", "its default holds a str where its schema says long; give it a default of its type"),
        (int, 2**63, "its default is an int of more than 64 bits"),
        (datetime, datetime(2020, 1, 1), "its default does not fit: is a datetime without a time zone"),
        (int | str, 1.5, "its default does not fit: holds a float, which is none of int, str"),
    ],
)
def test_a_default_that_is_not_of_its_type_is_refused(annotation: Any, default: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        type(Event)("A", (Event,), {"__module__": __name__, "__annotations__": {"x": annotation}, "x": default})


def test_a_field_name_that_avro_cannot_say_is_refused() -> None:
    with pytest.raises(DeclarationError, match="field 'größe': Avro cannot say this name; name fields in ASCII"):

        class A(Event):
            größe: int


def test_a_schema_too_deep_is_refused() -> None:
    kind: Any = int
    for _ in range(70):
        kind = list[kind]
    with pytest.raises(DeclarationError, match="nested more than 64 deep; make it flatter"):
        type(Event)("A", (Event,), {"__module__": __name__, "__annotations__": {"x": kind}})


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a..b", "ö", "farandole", "farandole.x", "a" * 201])
def test_a_choreography_needs_a_name_that_avro_and_kafka_take(name: str) -> None:
    with pytest.raises(DeclarationError, match=f"choreography {name!r}"):
        EventTypes(name, [])


def test_two_events_of_one_name_are_refused() -> None:
    class A(Event):
        at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
        day: date = date(2020, 1, 1)
        took: timedelta = timedelta(seconds=1)

    class B(Event, name="A"): ...

    with pytest.raises(DeclarationError, match=r"two events are named 'A': .*A and .*B; give one of them name="):
        EventTypes("a", [A, B])


def test_abstract_events_are_no_events_of_a_choreography() -> None:
    with pytest.raises(DeclarationError, match="a: Event is not an event of its own; name the events"):
        EventTypes("a", [Event])
