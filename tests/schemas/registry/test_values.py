"""The two forms of a value, and how one is made of the other."""

import json

import pytest

from farandole.schemas import Event, EventTypes, PlainValues, UndecodableValue, register, system_records
from farandole.schemas.catalogue import adopt, texts_in
from farandole.schemas.envelope import Flag, Header, Kind, pack
from farandole.schemas.registry import framed, named_schema, unframed
from farandole.schemas.schema_numbers import NUMBERS, frame_of, number_in, read_number

from .table import Table


class Weighed(Event):
    grams: int
    note: str = ""


TYPES = EventTypes("shop", [Weighed])
SCHEMA = TYPES.schema_of(Weighed)
VALUE = TYPES.encode(Weighed(grams=5)).value


def headers(*, schema: bytes = SCHEMA, flags: int = 0) -> list[Header]:
    return pack(
        kind=Kind.OUTCOME, id=b"0", type=b"shop.Weighed", source=b"/shop/x", append=bytes(16), sent=0, schema=schema,
        flags=flags,
    )  # fmt: skip


def numbered(registry: str, number: int, fingerprint: bytes = SCHEMA) -> dict[bytes, bytes]:
    value = {"fingerprint": fingerprint.hex(), "name": "shop.Weighed"}
    return {NUMBERS + f"{registry}/{number}".encode(): json.dumps(value).encode()}


def test_one_form_is_made_of_the_other_by_what_headers_say() -> None:
    other = framed(VALUE, frame_of(7))
    assert other[:5] == b"\0\0\0\0\7"
    schema = named_schema(headers())
    assert schema == SCHEMA
    assert unframed(other, schema) == VALUE


@pytest.mark.parametrize(
    "written",
    [
        [],
        [("fa", b"")],
        [("fa", b"\2" + bytes(80))],
        headers(schema=bytes(8)),
        headers(flags=Flag.CODED),
        [*headers(), ("fa", b"")],
    ],
)
def test_headers_that_do_not_name_a_schema_name_none(written: list[Header]) -> None:
    assert named_schema(written) is None


@pytest.mark.parametrize("number", [-1, 2**31])
def test_a_number_has_31_bits(number: int) -> None:
    with pytest.raises(ValueError, match="no schema's number"):
        frame_of(number)


@pytest.mark.parametrize("value", [None, b"", b"\0", b"\0\0\0\0", VALUE])
def test_what_is_not_in_that_form_bears_no_number(value: bytes | None) -> None:
    assert number_in(value) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"number/a", b"{}"),
        (b"number/a/b/c", b"{}"),
        (b"number/a/x", b'{"fingerprint": "0011223344556677", "name": "a"}'),
        (b"number/a/-1", b'{"fingerprint": "0011223344556677", "name": "a"}'),
        (b"number/a/1", b'{"fingerprint": "00", "name": "a"}'),
        (b"number/a/1", b'{"fingerprint": "0011223344556677"}'),
        (b"number/a/1", b"["),
        (b"number/\xff/1", b"[]"),
    ],
)
def test_an_entry_that_is_not_laid_out_as_one_is_named(key: bytes, value: bytes) -> None:
    with pytest.raises(UndecodableValue, match="is no schema's number; remove it"):
        read_number(key, value)


async def test_a_value_with_a_number_alone_is_read_by_the_catalogue() -> None:
    table, types = Table(), EventTypes("shop", [Weighed])
    value = framed(VALUE, frame_of(900))
    with pytest.raises(UndecodableValue, match=r"shop\.Weighed: it was written with schema number 900 of a schema reg"):
        types.decode("shop.Weighed", value)
    table.content |= numbered("a", 900)
    await register(table, types)
    assert types.decode("shop.Weighed", value) == Weighed(grams=5)
    plain = PlainValues()
    assert not plain.knows(value)
    plain.learn(table.content)
    assert plain.knows(value)
    assert plain.read(value) == {"grams": 5, "note": ""}


async def test_a_number_that_two_registries_gave_says_nothing() -> None:
    table, types = Table(), EventTypes("shop", [Weighed])
    table.content |= numbered("a", 9) | numbered("b", 9, b"another.")
    await register(table, types)
    with pytest.raises(UndecodableValue, match="or names twice"):
        types.decode("shop.Weighed", framed(VALUE, frame_of(9)))
    table.content |= numbered("a", 10) | numbered("b", 10)
    await register(table, types)
    assert types.decode("shop.Weighed", framed(VALUE, frame_of(10))) == Weighed(grams=5)


@pytest.mark.parametrize("value", [b"\0", b"\0\0\0\0", b"\0\0\0\0\1"])
def test_a_value_cut_short_is_undecodable(value: bytes) -> None:
    for read in (lambda v: TYPES.decode("shop.Weighed", v), PlainValues().read, system_records.CANCEL.decode):
        with pytest.raises(UndecodableValue):
            read(value)


def test_no_system_record_is_read_by_a_number() -> None:
    value = framed(system_records.CANCEL.encode({"reason": "", "by": ""}), frame_of(1))
    with pytest.raises(UndecodableValue, match="not in Avro's single-object encoding"):
        system_records.CANCEL.decode(value)


def foreign(name: str = "shop.Weighed", grams: object = "int") -> str:
    return json.dumps({"type": "record", "name": name, "fields": [{"name": "grams", "type": grams}]})


async def test_another_program_s_schema_is_adopted_and_its_event_read_as_today_s() -> None:
    table, types = Table(), EventTypes("shop", [Weighed])
    await register(table, types)
    told = await adopt(table, "shop.Weighed", foreign())
    assert told.fingerprint in texts_in(table.content)
    assert await adopt(table, "shop.Weighed", foreign()) == told
    assert len([key for key in table.content if b"shop.Weighed" in key]) == 2
    table.content |= numbered("a", 3, told.fingerprint)
    await register(table, types)
    assert types.decode("shop.Weighed", b"\0\0\0\0\3\x0a") == Weighed(grams=5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read"),
        ('"string"', "cannot be read"),
        (foreign("shop.Other"), r"is that of a shop\.Other"),
        (foreign(grams={"type": "array", "items": "null"}), "not safe to read with"),
        (foreign(grams="nosuch"), "cannot be read"),
        (" " * 300_000 + foreign(), "is larger than"),
    ],
)
async def test_what_is_no_schema_of_the_event_is_not_adopted(text: str, why: str) -> None:
    table = Table()
    with pytest.raises(UndecodableValue, match=why):
        await adopt(table, "shop.Weighed", text)
    assert table.content == {}


async def test_whoever_else_must_take_a_schema_is_asked_before_it_is_in_the_catalogue() -> None:
    table, asked = Table(), list[str]()

    async def admit(schemas: object) -> None:
        asked.extend(schema.name for schema in schemas)  # type: ignore[attr-defined]
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await register(table, EventTypes("shop", [Weighed]), admit=admit)
    assert table.content == {}
    assert asked[0] == "shop.Weighed"
    assert "farandole.Genesis" in asked
