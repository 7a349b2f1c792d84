"""The Avro schemas of events, pinned, and valid for others too."""

# ruff: noqa: RUF012 (pydantic copies defaults; the rule does not see that events are models)

import json
import warnings
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

import avro.schema
import pytest
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form
from pydantic import BaseModel, Field
from tests.schemas.everything import Address, Colour, Everything, Left, Right, Size, Tree
from tests.schemas.golden_files import same_as_golden

from farandole.schemas import End, Event, EventTypes, Json, Start, upcast


class Line(BaseModel):
    """A line of an order."""

    sku: str = Field(description="As the warehouse has it.")
    count: int = 1


class OrderPlaced(Start, deadline="7d"):
    """Somebody ordered."""

    amount: Decimal = Field(description="In the order's currency.")
    lines: list[Line] = []
    note: str | None = None


class Defaulted(Event):
    none: int | None = None
    number: int | None = 5
    text: str | int | None = "x"
    real: float = 1
    raw: bytes = b"\xff\x00"
    at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    day: date = date(2020, 1, 1)
    clock: time = time(1, 2, 3)
    span: timedelta = timedelta(microseconds=5)
    exact: Decimal = Decimal("1.50")
    id: UUID = UUID(int=7)
    colour: Colour = Colour.GREEN
    size: Size | None = Size.LARGE
    choice: Literal["a", "b"] = "b"
    many: list[str] = Field(default_factory=list)
    by_name: dict[str, int] = Field(default_factory=dict)
    some: set[int] = {1}
    line: Line = Line(sku="a")
    line_too: Line | None = Line(sku="b", count=2)
    side: Left | Right = Right(value=1)
    free: Json = {"a": [1]}
    made_anew: UUID = Field(default_factory=lambda: UUID(int=1))
    not_a_number: float = float("nan")
    second_branch: list[int | str] = ["x"]


class Grown(End, version=2):
    total: int

    @staticmethod
    @upcast(1)
    def grow(old: dict[str, object]) -> dict[str, object]:
        return old


class Grove(Event):
    root: Tree
    others: list[Tree]
    owner: Address
    tenant: Address | None = None


EVENTS = [OrderPlaced, Defaulted, Grown, Grove, Everything]
TYPES = EventTypes("shop", EVENTS)
SCHEMAS = {name.removeprefix("shop."): (mark, schema) for name, mark, schema in TYPES.schemas()}


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_schema_stays_as_it_is(name: str) -> None:
    mark, schema = SCHEMAS[name]
    same_as_golden(f"{name}.avsc", schema)
    same_as_golden(f"{name}.fingerprint", mark.hex())


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_schema_is_valid_avro_to_other_programs(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        avro.schema.parse(json.dumps(SCHEMAS[name][1]))
    parse_schema(json.loads(json.dumps(SCHEMAS[name][1])))


def test_the_fingerprint_of_version_one_is_avros_own() -> None:
    mark, schema = SCHEMAS["OrderPlaced"]
    form = to_parsing_canonical_form(schema)
    assert mark.hex() == fingerprint(form, "CRC-64-AVRO")
    assert int.from_bytes(mark, "little") == int.from_bytes(
        bytes(reversed(bytes.fromhex(fingerprint(form, "CRC-64-AVRO")))), "big"
    )


def test_a_higher_version_has_a_fingerprint_of_its_own() -> None:
    class Grown1(End, name="Grown"):
        total: int

    ((_, first, schema),) = EventTypes("shop", [Grown1]).schemas()
    assert to_parsing_canonical_form(schema) == to_parsing_canonical_form(SCHEMAS["Grown"][1])
    assert first != SCHEMAS["Grown"][0]
    assert SCHEMAS["Grown"][0].hex() == fingerprint(to_parsing_canonical_form(schema) + "#2", "CRC-64-AVRO")


def test_docs_do_not_change_the_fingerprint() -> None:
    class OrderPlaced1(Start, name="OrderPlaced"):
        amount: Decimal
        lines: list[Line] = []
        note: str | None = None

    ((_, mark, _),) = EventTypes("shop", [OrderPlaced1]).schemas()
    assert mark == SCHEMAS["OrderPlaced"][0]


def test_a_program_with_nothing_but_fastavro_can_read_an_event() -> None:
    from io import BytesIO

    placed = OrderPlaced(amount=Decimal("9.90"), lines=[Line(sku="a")])
    value = TYPES.encode(placed).value
    assert value[:2] == b"\xc3\x01"
    read = schemaless_reader(BytesIO(value[10:]), parse_schema(SCHEMAS["OrderPlaced"][1]), None)
    assert read == {"amount": "9.90", "lines": [{"sku": "a", "count": 1}], "note": None}


def test_instants_dates_times_and_ids_are_what_avro_says_they_are() -> None:
    from io import BytesIO

    value = TYPES.encode(Defaulted()).value
    read = schemaless_reader(BytesIO(value[10:]), parse_schema(SCHEMAS["Defaulted"][1]), None)
    assert isinstance(read, dict)
    assert read["at"] == datetime(2020, 1, 1, tzinfo=UTC)
    assert (read["day"], read["clock"], read["id"]) == (date(2020, 1, 1), time(1, 2, 3), UUID(int=7))


def test_models_of_the_same_name_may_stand_in_different_events() -> None:
    def event(name: str, kind: type) -> type[Event]:
        model = type("Part", (BaseModel,), {"__annotations__": {"a": kind}, "__module__": __name__})
        return type(Event)(name, (Event,), {"__annotations__": {"part": model}, "__module__": __name__})

    a, b = event("A", int), event("B", str)
    types = EventTypes("x", [a, b])
    made = b(part={"a": "text"})  # type: ignore[call-arg]
    assert types.decode("x.B", types.encode(made).value) == made


def test_a_title_keeps_the_name_of_a_renamed_model() -> None:
    class PostalAddress(BaseModel, title="Address"):
        street: str

    class Moved(Event):
        to: PostalAddress

    ((_, _, schema),) = EventTypes("x", [Moved]).schemas()
    assert schema["fields"][0]["type"]["name"] == "x.types.Address"


def test_enums_are_written_by_value_where_values_are_names_else_by_name() -> None:
    class Odd(Enum):
        A = "a b"
        B = "c"

    class Has(Event):
        a: Colour
        b: Size
        c: Odd

    ((_, _, schema),) = EventTypes("x", [Has]).schemas()
    assert [f["type"]["symbols"] for f in schema["fields"]] == [["red", "green"], ["SMALL", "LARGE"], ["A", "B"]]
