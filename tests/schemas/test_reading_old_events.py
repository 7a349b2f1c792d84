"""Events stay readable: bytes of earlier schemas and versions, kept as they were recorded, become today's events."""

# ruff: noqa: RUF012 (pydantic copies defaults; the rule does not see that events are models)

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, Field
from tests.schemas.golden_files import golden

from farandole.schemas import Event, EventTypes, UndecodableValue, upcast

RECORDED = golden("recorded.json")
"""By name: the schema as the catalogue had it, its fingerprint, and the value, in hexadecimal."""


class Currency(Enum):
    EUR = "EUR"
    USD = "USD"


class Card(BaseModel):
    last4: str
    holder: str = "unknown"


class Bank(BaseModel):
    last4: str


class PaymentTaken(Event, version=3):
    """Version 1 had ``cents`` and ``at`` as text; 2 had an ``amount`` in euros and the card's number; 3 is this."""

    amount: Decimal
    currency: Currency
    paid_by: Card | Bank
    at: datetime
    tags: frozenset[str] = frozenset()

    @staticmethod
    @upcast(1)
    def cents_were_whole(old: dict[str, Any]) -> dict[str, Any]:
        return {
            "amount": Decimal(old["cents"]) / 100,
            "number": old["number"],
            "at": datetime.fromisoformat(old["at"]),
        }

    @staticmethod
    @upcast(2)
    def all_were_euros_by_card(old: dict[str, Any]) -> dict[str, Any]:
        paid_by = Card(last4=old.pop("number")[-4:])
        return {**old, "currency": "EUR", "paid_by": paid_by}


class Moved(Event):
    """Of one version: it once had no ``floor``, a ``doorbell`` too, whole numbers for ``metres``, and no Bank."""

    street: str
    floor: int = 0
    metres: float = 0.0
    via: Card | Bank | None = None
    history: list[Card] = []
    why: Currency | None = None
    made: list[str] = Field(default_factory=list)


TYPES = EventTypes("shop", [PaymentTaken, Moved])
for _entry in RECORDED.values():
    TYPES.learn(bytes.fromhex(_entry["fingerprint"]), _entry["schema"])


def read(name: str, wire_name: str) -> Event:
    return TYPES.decode(wire_name, bytes.fromhex(RECORDED[name]["value"]))


def test_version_one_is_upcast_twice() -> None:
    assert read("payment version 1", "shop.PaymentTaken") == PaymentTaken(
        amount=Decimal("12.5"),
        currency=Currency.EUR,
        paid_by=Card(last4="4242"),
        at=datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC),
    )


def test_version_two_is_upcast_once() -> None:
    assert read("payment version 2", "shop.PaymentTaken") == PaymentTaken(
        amount=Decimal("99.90"),
        currency=Currency.EUR,
        paid_by=Card(last4="1881"),
        at=datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        tags=frozenset({"gift"}),
    )


def test_an_older_schema_of_the_version_gets_defaults_and_loses_what_is_no_more() -> None:
    event = read("moved before", "shop.Moved")
    assert event == Moved(
        street="rue A", metres=3.0, via=Card(last4="1111", holder="ann"), history=[Card(last4="2222", holder="bob")],
        why=Currency.USD,
    )  # fmt: skip
    assert isinstance(event, Moved)
    assert type(event.metres) is float
    assert type(event.via) is Card, "told by its name, although a Bank has the same fields"


def test_fields_may_stand_in_another_order() -> None:
    class A(Event):
        x: int
        y: str

    class B(Event, name="A"):
        y: str
        x: int

    old, new = EventTypes("s", [A]), EventTypes("s", [B])
    for mark, schema in old.own_schemas().items():
        new.learn(mark, schema)
    assert new.decode("s.A", old.encode(A(x=1, y="z")).value) == B(y="z", x=1)


def test_an_upcaster_that_fails_parks_the_step_with_its_name() -> None:
    class Bad(Event, version=2, name="PaymentTaken"):
        @staticmethod
        @upcast(1)
        def broken(old: dict[str, Any]) -> dict[str, Any]:
            raise KeyError(old["number"])

    with pytest.raises(UndecodableValue) as e:
        _of(Bad, "payment version 1")
    assert str(e.value) == (
        "shop.PaymentTaken: its upcaster from version 1 raised KeyError; correct it, deploy, then retry"
    )


def test_an_upcaster_that_returns_no_dict_is_named() -> None:
    class Bad(Event, version=2, name="PaymentTaken"):
        @staticmethod
        @upcast(1)
        def broken(old: dict[str, Any]) -> dict[str, Any]:
            return None  # type: ignore[return-value]

    with pytest.raises(UndecodableValue, match="its upcaster from version 1 returned a NoneType instead of a dict"):
        _of(Bad, "payment version 1")


def test_a_field_that_the_upcasters_leave_over_is_an_error() -> None:
    class Bad(Event, version=2, name="PaymentTaken"):
        cents: int

        @staticmethod
        @upcast(1)
        def keep(old: dict[str, Any]) -> dict[str, Any]:
            return old

    with pytest.raises(UndecodableValue, match="field 'at' is no field of version 2, but the upcasters leave it"):
        _of(Bad, "payment version 1")


def test_a_field_that_the_upcasters_forget_is_an_error() -> None:
    class Bad(Event, version=2, name="PaymentTaken"):
        euros: int

        @staticmethod
        @upcast(1)
        def forget(old: dict[str, Any]) -> dict[str, Any]:
            return {}

    with pytest.raises(UndecodableValue, match=r"field 'euros' does not pass the checks of its type \(missing\)"):
        _of(Bad, "payment version 1")


def test_a_version_above_ours_says_to_deploy() -> None:
    class Old(Event, name="PaymentTaken"):
        cents: int

    with pytest.raises(
        UndecodableValue, match="is of version 2, and this process knows versions up to 1; deploy the ne"
    ):
        _of(Old, "payment version 2")


def test_a_schema_that_nobody_named_says_to_read_the_catalogue() -> None:
    with pytest.raises(UndecodableValue, match="the catalogue did not name when it was last read; read it again"):
        EventTypes("shop", [Moved]).decode("shop.Moved", bytes.fromhex(RECORDED["moved before"]["value"]))


def test_a_value_of_another_event_is_refused() -> None:
    with pytest.raises(UndecodableValue, match=r"shop\.Moved: it was written as a shop\.PaymentTaken"):
        read("payment version 1", "shop.Moved")


def test_an_event_that_is_not_declared_here_says_to_deploy() -> None:
    with pytest.raises(UndecodableValue, match=r"shop\.Gone is no event that shop declares here; deploy the code"):
        TYPES.decode("shop.Gone", b"")


def test_what_is_learned_is_known() -> None:
    types = EventTypes("shop", [Moved])
    mark = bytes.fromhex(RECORDED["moved before"]["fingerprint"])
    assert not types.knows(mark)
    types.learn(mark, RECORDED["moved before"]["schema"])
    assert types.knows(mark)
    assert all(types.knows(own) for own in types.own_schemas())


def _of(cls: type[Event], name: str) -> Event:
    types = EventTypes("shop", [cls])
    for entry in RECORDED.values():
        types.learn(bytes.fromhex(entry["fingerprint"]), entry["schema"])
    return types.decode("shop.PaymentTaken", bytes.fromhex(RECORDED[name]["value"]))
