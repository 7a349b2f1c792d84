"""What records say, in the tables: by the schemas of the catalogue, without what is secret, and as databases take it."""

import asyncio
import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, SecretStr
from tests.projections.runs.logs import Entries

from farandole.eventstore import Stored
from farandole.projections.runs.payloads import Payload, Payloads, as_json
from farandole.schemas import (
    Encrypt,
    Event,
    EventTypes,
    Json,
    PayloadContext,
    Personal,
    Search,
    Secret,
    Start,
    register,
)
from farandole.schemas.envelope import Flag, Kind, pack, unpack
from farandole.schemas.system_records import SUBSTEP


class Address(BaseModel):
    street: Annotated[str, Personal]
    town: str


class Placed(Start):
    customer: Annotated[str, Search]
    number: Annotated[int | None, Search] = None
    address: Address
    card: SecretStr = SecretStr("")
    note: str = ""
    token: Annotated[str, Secret] = ""
    said: Json = None


def written(event: Event, codec: Any = None, reads: Any = None) -> tuple[Payload, Stored]:
    """What a projector reads of an event."""
    types, catalogue = EventTypes("t", [Placed], codec), Entries()
    asyncio.run(register(catalogue, types))
    context = PayloadContext("t", "r", "x1", "t.Placed")
    encoded = types.encode(event, context)
    headers = pack(
        kind=Kind.START, id=b"x1", type=b"t.Placed", source=b"/t/x", append=bytes(16), sent=0, schema=encoded.schema,
        flags=int(Flag.CODED) if encoded.coded else 0,
    )  # fmt: skip
    record = Stored(0, 1, 1, b"r", encoded.value, headers)
    payloads = Payloads("t", reads)
    payloads.learn(asyncio.run(catalogue.load()))
    return payloads.read(record, unpack(headers)), record


def an_order(**more: Any) -> Placed:
    return Placed(customer="ann", address=Address(street="Elm Street", town="Ghent"), **more)


def fields(payload: Payload) -> dict[str, Any]:
    assert payload.json is not None
    found: dict[str, Any] = json.loads(payload.json)
    return found


def test_a_value_is_read_by_its_schema_without_its_class() -> None:
    found = fields(written(an_order(number=7, note="soon"))[0])
    assert found["customer"] == "ann"
    assert found["address"] == {"street": None, "town": "Ghent"}
    assert (found["number"], found["note"]) == (7, "soon")


def test_what_is_secret_is_stored_nowhere() -> None:
    payload, _ = written(an_order(card=SecretStr("4711-secret"), token="hush-hush"))
    assert (fields(payload)["card"], fields(payload)["token"]) == (None, None)
    assert "4711" not in repr(payload)
    assert "hush" not in repr(payload)


def test_what_is_personal_stands_apart_and_is_not_searched_for() -> None:
    payload, _ = written(an_order(note="gift", token="hush"))
    assert "Elm Street" not in (payload.json or "")
    assert json.loads(payload.personal or "")["address"]["street"] == "Elm Street"
    assert "hush" not in (payload.personal or "")
    assert "Elm" not in (payload.words or "")
    assert {"ann", "Ghent", "gift"} <= set((payload.words or "").split("\n"))


def test_a_run_is_found_by_the_fields_that_are_marked() -> None:
    assert dict(written(an_order(number=7))[0].attributes) == {"customer": "ann", "number": "7"}
    assert dict(written(an_order())[0].attributes) == {"customer": "ann"}


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\\u0000", "\u2028", "</script>"])
def test_text_that_databases_do_not_take_is_replaced_and_all_else_is_kept(odd: str) -> None:
    payload, _ = written(an_order(note=odd, said={"key" + odd: [odd]}))
    kept = odd.replace("\0", "\ufffd")
    assert fields(payload)["note"] == kept
    assert fields(payload)["said"] == {"key" + kept: [kept]}
    assert "\0" not in (payload.words or "")


@pytest.mark.parametrize("half", ["\ud800", "x\udfff"])
def test_halves_of_characters_that_others_write_are_replaced(half: str) -> None:
    assert json.loads(as_json({half: [half]})) == {half[:-1] + "?": [half[:-1] + "?"]}


def test_numbers_that_are_none_are_text() -> None:
    assert json.loads(as_json({"x": float("inf"), "y": float("nan")})) == {"x": "Infinity", "y": "NaN"}


def test_what_went_through_a_codec_is_read_by_whoever_has_it() -> None:
    codec = Encrypt({"k": bytes(32)}, active="k")
    assert fields(written(an_order(), codec, codec)[0])["customer"] == "ann"
    without, _ = written(an_order(), codec)
    assert (without.json, without.words, without.attributes) == (None, None, ())
    assert "payload codec" in (without.problem or "")
    wrong, _ = written(an_order(), codec, Encrypt({"k": bytes([1] * 32)}, active="k"))
    assert wrong.json is None
    assert wrong.problem


def test_a_schema_that_is_not_known_is_told_and_asked_for() -> None:
    _, record = written(an_order())
    payloads = Payloads("t")
    assert payloads.lacks(record) == (record.value or b"")[2:10]
    read = payloads.read(record, unpack(record.headers))
    assert read.json is None
    assert "catalogue" in (read.problem or "")


def returned(result: Any) -> Payload:
    """What a projector reads of a sub-step."""
    headers = pack(
        kind=Kind.SUBSTEP,
        id=b"x1",
        type=b"substep",
        source=b"/t/x",
        append=bytes(16),
        sent=0,
        schema=SUBSTEP.fingerprint,
    )
    value = SUBSTEP.encode({"result": json.dumps(result)})
    return Payloads("t").read(Stored(0, 1, 1, b"r", value, headers), unpack(headers))


def test_what_a_sub_step_returned_is_personal_and_not_searched_for() -> None:
    payload = returned({"illness": "gout", "used": {"counts_as": "farandole.usage", "input_tokens": 7}})
    assert fields(payload)["result"] is None
    assert "gout" in (payload.personal or "")
    assert "gout" not in (payload.words or "")
    assert [used.input_tokens for used in payload.usage] == [7]


@pytest.mark.parametrize("secret", [False, True])
def test_of_a_call_everybody_may_know_what_was_called_and_how_long_it_took(secret: bool) -> None:
    call = {"kind": "tool", "tool": "look_up", "outcome": "success", "took_ms": 5, "args": {"illness": "gout"}}
    payload = returned({**call, "content": "gout", "secret": secret})
    told = json.loads(fields(payload)["result"])
    assert (told["tool"], told["took_ms"]) == ("look_up", 5)
    assert "gout" not in (payload.json or "") + (payload.words or "") + repr(payload.fields)
    assert ("gout" in (payload.personal or "")) is not secret
