"""A schema becomes a form."""

import json
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel

from farandole.dashboard.pages.forms import Field, form_of
from farandole.schemas import EventTypes, Personal, Secret, Start


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Place(BaseModel):
    street: str
    town: str | None = None


class Everything(Start):
    """What a form can ask."""

    name: str
    amount: Decimal
    count: int = 3
    share: float
    sure: bool = True
    maybe: bool | None = None
    colour: Colour = Colour.RED
    way: Literal["a", "b"] = "a"
    tags: list[str] = []  # noqa: RUF012
    numbers: list[int]
    place: Annotated[Place, Personal]
    other: Place | None = None
    counts: dict[str, int]
    either: int | str
    token: Annotated[str, Secret]


def fields(held: dict[str, Any] | None = None, **more: Any) -> dict[str, Field]:
    ((name, _, schema),) = list(EventTypes("t", [Everything]).schemas())
    form = form_of(name, schema, prefix="p", held=held, **more)
    assert (form.type, form.name, form.doc) == ("t.Everything", "Everything", "What a form can ask.")
    return {field.name: field for field in form.fields}


def test_each_type_is_asked_for_in_its_way() -> None:
    found = fields()
    shown = {name: (field.kind, field.shown) for name, field in found.items()}
    assert shown == {
        "name": ("string", "line"), "amount": ("string", "line"), "count": ("integer", "line"), "share": ("number", "line"),
        "sure": ("boolean", "check"), "maybe": ("boolean", "choice"), "colour": ("string", "choice"),
        "way": ("string", "choice"), "tags": ("lines", "text"), "numbers": ("json", "text"), "place": ("group", "group"),
        "other": ("json", "text"), "counts": ("json", "text"), "either": ("json", "text"), "token": ("string", "line"),
    }  # fmt: skip
    assert found["colour"].choices == ("red", "blue")
    assert found["way"].choices == ("a", "b")


def test_what_may_be_left_out_says_what_it_then_is() -> None:
    found = fields()
    assert (found["name"].optional, found["count"].optional, found["maybe"].optional) == ("", "default", "null")
    assert (found["count"].value, found["sure"].value, found["colour"].value) == ("3", "true", "red")


def test_records_within_are_groups_with_paths_of_their_own() -> None:
    street, town = fields()["place"].fields
    assert [json.loads(each.path) for each in (street, town)] == [["place", "street"], ["place", "town"]]
    assert (street.optional, town.optional) == ("", "null")


def test_marks_are_told() -> None:
    found = fields()
    assert found["place"].personal
    assert found["token"].secret


def test_what_an_event_held_stands_in_its_form() -> None:
    found = fields(
        {"name": "ann", "tags": ["x", "y"], "place": {"street": "Quai 1"}, "counts": {"a": 1}, "sure": False}
    )
    assert (found["name"].value, found["tags"].value, found["sure"].value) == ("ann", "x\ny", "false")
    assert found["place"].fields[0].value == "Quai 1"
    assert json.loads(found["counts"].value) == {"a": 1}


def test_fields_can_be_left_out() -> None:
    assert "name" not in fields(without=("name",))


def test_a_type_without_a_schema_takes_json() -> None:
    assert not form_of("t.Unknown", None, prefix="p").known
