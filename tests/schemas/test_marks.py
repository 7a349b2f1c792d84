"""Marks of fields: they travel in the schema, change nothing of what is written, and stand on whole fields."""

from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretBytes, SecretStr

from farandole.schemas import DeclarationError, Event, EventTypes, Marked, Personal, Search, Secret, register
from farandole.schemas.catalogue import read_entry


class Colour(Enum):
    RED = "red"


class Card(BaseModel):
    number: SecretStr
    holder: Annotated[str, Personal] = ""


class Opened(Event):
    customer: Annotated[str, Search, Personal]
    colour: Annotated[Colour, Search]
    number: Annotated[int | None, Search] = None
    id: Annotated[UUID | None, Search] = None
    card: Card | None = None
    cards: list[Card] = Field(default_factory=list)
    keys: Annotated[list[str], Secret] = Field(default_factory=list)
    pins: dict[str, SecretBytes] = Field(default_factory=dict)
    plain: str = ""


def schema_of(cls: type[Event]) -> dict[str, Any]:
    ((_, _, schema),) = EventTypes("a", [cls]).schemas()
    return schema


def test_a_mark_travels_in_the_schema_as_an_attribute_of_the_field() -> None:
    fields = {field["name"]: field for field in schema_of(Opened)["fields"]}
    assert fields["customer"]["farandole.search"] is True
    assert fields["customer"]["farandole.personal"] is True
    assert fields["keys"]["farandole.secret"] is True
    assert not [key for key in fields["plain"] if key.startswith("farandole.")]


def test_what_pydantic_keeps_secret_is_secret_wherever_it_stands() -> None:
    secret = Marked([schema_of(Opened)]).fields(Secret)
    assert secret == {("a.Opened", "keys"), ("a.Opened", "pins"), ("a.types.Card", "number")}


def test_the_marks_of_nested_models_are_found_with_the_models() -> None:
    assert Marked([schema_of(Opened)]).fields(Personal) == {("a.Opened", "customer"), ("a.types.Card", "holder")}


def test_marks_change_neither_the_fingerprint_nor_the_bytes() -> None:
    class Bare(Event, name="Named"):
        x: str

    class Bears(Event, name="Named"):
        x: Annotated[str, Secret]

    bare = EventTypes("a", [Bare]).encode(Bare(x="1"))
    bears = EventTypes("a", [Bears]).encode(Bears(x="1"))
    assert bare == bears


def test_the_marks_of_all_schemas_of_one_name_hold_together() -> None:
    class Before(Event, name="Named"):
        x: Annotated[str, Secret]

    class After(Event, name="Named"):
        x: Annotated[str, Personal]

    marked = Marked([schema_of(After), schema_of(Before)])
    assert marked.fields(Secret) == marked.fields(Personal) == {("a.Named", "x")}


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (list[Annotated[str, Secret]], "mark the whole field"),
        (Annotated[str, Secret] | None, "mark the whole field"),
        (Annotated[str | int, Secret] | None, "mark the whole field"),
        (dict[str, Annotated[str, Personal]], "mark the whole field"),
        (Annotated[Card, Search], "a run is found by text"),
        (Annotated[list[str], Search], "a run is found by text"),
        (Annotated[str, Search, Secret], "what is secret cannot be searched for"),
        (Annotated[SecretStr, Search], "what is secret cannot be searched for"),
    ],
)
def test_a_mark_that_would_do_nothing_is_refused(annotation: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        type("Wrong", (Event,), {"__annotations__": {"x": annotation}, "__module__": __name__})


def test_a_model_that_an_event_holds_is_not_searched() -> None:
    class Held(BaseModel):
        x: Annotated[str, Search]

    with pytest.raises(DeclarationError, match=r"a run is found by text"):
        type("Holds", (Event,), {"__annotations__": {"held": Held}, "__module__": __name__})


async def test_a_mark_can_be_added_and_removed_without_a_new_version() -> None:
    class Bare(Event, name="Named"):
        x: str

    class Bears(Event, name="Named"):
        x: Annotated[str, Secret]

    table = Memory()
    for cls in (Bare, Bears, Bare):
        await register(table, EventTypes("a", [cls]), mode="full_transitive")
    entries = [read_entry(key, value) for key, value in table.all.items() if b"a.Named" in key]
    assert len(entries) == 2
    assert len({entry.fingerprint for entry in entries}) == 1
    assert Marked(entry.schema for entry in entries).fields(Secret) == {("a.Named", "x")}


class Memory:
    """A catalogue."""

    def __init__(self) -> None:
        self.all: dict[bytes, bytes] = {}

    async def put(self, key: bytes, value: bytes | None) -> None:
        self.all[key] = value or b""

    async def load(self) -> dict[bytes, bytes]:
        return dict(self.all)
