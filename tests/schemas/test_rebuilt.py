"""Classes of events made of their schemas: they write the same bytes, or are not made."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, condecimal
from tests.schemas.everything import Everything

from farandole.schemas import (
    Answer,
    DeclarationError,
    End,
    Event,
    EventTypes,
    Json,
    Personal,
    Search,
    Start,
    Usage,
    event_info,
    upcast,
)
from farandole.schemas.rebuilt import rebuilt


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Place(BaseModel):
    """A place."""

    city: str
    colour: Colour = Colour.RED


class Asked(Start, version=2, deadline="2d"):
    """Find out about a subject."""

    subject: Annotated[str, Search] = Field(description="What about.")
    count: int | None = None
    tags: list[str] = Field(default_factory=list)
    place: Annotated[Place, Personal]
    places: dict[str, Place] = Field(default_factory=dict)
    amount: Decimal = Decimal("1.5")
    exact: condecimal(max_digits=8, decimal_places=2) = Decimal("1.50")  # type: ignore[valid-type]
    at: datetime
    on: date | None = None
    clock: time | None = None
    span: timedelta = timedelta(0)
    id: UUID | None = None
    free: Json = None
    how: Literal["a", "b"] = "a"
    usage: Usage | None = None

    @staticmethod
    @upcast(1)
    def nothing(old: dict[str, Any]) -> dict[str, Any]:
        return old


class Found(End):
    what: str


def schema_of(cls: type[Event]) -> dict[str, Any]:
    ((_, _, schema),) = EventTypes("a", [cls]).schemas()
    return schema


def test_what_is_made_says_of_itself_what_the_class_says() -> None:
    made = rebuilt(schema_of(Asked), "elsewhere")
    assert (event_info(made).kind, event_info(made).version) == ("start", 2)
    assert event_info(made).deadline == timedelta(days=2)
    told = made.model_json_schema()
    assert told["description"] == "Find out about a subject."
    assert told["properties"]["subject"]["description"] == "What about."
    assert told["properties"]["how"]["enum"] == ["a", "b"]
    assert event_info(rebuilt(schema_of(Found), "elsewhere")).kind == "end"
    fields = {field["name"]: field for field in schema_of(made)["fields"]}
    assert fields["subject"]["farandole.search"] is True
    assert fields["place"]["farandole.personal"] is True


def test_what_it_writes_is_read_by_the_class() -> None:
    fields = {
        "subject": "figs", "place": {"city": "Arles", "colour": "blue"}, "at": "2026-11-28T00:00:00Z", "exact": "2.50",
        "places": {"a": {"city": "Nice"}}, "clock": "12:00:00", "span": "PT1H", "free": {"x": [1]}, "how": "b",
    }  # fmt: skip
    event = rebuilt(schema_of(Asked), "elsewhere").model_validate_json(json.dumps(fields))
    types, others = EventTypes("a", [Asked]), EventTypes("a", [type(event)])
    assert others.schema_of(type(event)) == types.schema_of(Asked)
    read = types.decode("a.Asked", others.encode(event).value)
    assert read == Asked.model_validate(fields)
    assert isinstance(read, Asked)
    assert read.at == datetime(2026, 11, 28, tzinfo=UTC)


def test_a_type_that_contains_itself_is_told_to_be_imported() -> None:
    with pytest.raises(DeclarationError, match=r"types\.Tree'; import its class"):
        rebuilt(schema_of(Everything), "elsewhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"farandole.kind": "answer"}, "of kind answer"),
        ({"fields": [{"name": "class", "type": "string"}]}, "a word of Python's"),
        ({"fields": [{"name": "x", "type": {"type": "fixed", "name": "a.F", "size": 4}}]}, "cannot be made"),
        ({"fields": [{"name": "x", "type": "float"}]}, "cannot be made"),
    ],
)
def test_what_cannot_be_made_is_told(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        rebuilt({**schema_of(Found), **change}, "elsewhere")


def test_kinds_stand_in_schemas_and_change_no_bytes() -> None:
    class Yes(Answer): ...

    assert schema_of(Yes)["farandole.kind"] == "answer"
    bare = {key: value for key, value in schema_of(Found).items() if key != "farandole.kind"}
    assert rebuilt({**bare, "farandole.kind": "event"}, "m").__name__ == "Found"
