"""Events as users declare them, for the type checkers; never run. `assert_type` fixes what they infer."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar, assert_type

from pydantic import BaseModel, Field

from farandole.schemas import (
    Answer,
    Chain,
    Compress,
    Encoded,
    Encrypt,
    End,
    Event,
    EventInfo,
    EventTypes,
    Json,
    PayloadCodec,
    PayloadContext,
    Signal,
    Start,
    Table,
    event_info,
    parse_duration,
    refresh,
    register,
    upcast,
)

T = TypeVar("T")


class Line(BaseModel):
    sku: str
    count: int = 1


class Sourced(Event, abstract=True):
    source: str = ""


class OrderPlaced(Start, deadline="7d"):
    lines: list[Line]
    amount: Annotated[Decimal, Field(max_digits=10, decimal_places=2)]
    free: Json = None


class Restarted(Start, name="Again", deadline=timedelta(days=1), wants_reactor=False): ...


class PaymentTaken(Sourced, name="Paid", version=2):
    currency: Literal["EUR", "USD"] = "EUR"
    by: str | None = None

    @staticmethod
    @upcast(1)
    def all_were_euros(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "currency": "EUR"}


class Got(Event, Generic[T]):
    value: T


class GotInt(Got[int]): ...


class AddressChanged(Signal):
    address: str


class Approved(Answer): ...


class Shipped(End, final=True): ...


class Abandoned(End, compensate=True):
    why: str


def fields() -> None:
    placed = OrderPlaced(lines=[Line(sku="a")], amount=Decimal(1), free={"any": ["thing"]})
    assert_type(placed.lines, list[Line])
    assert_type(placed.amount, Decimal)
    assert_type(PaymentTaken(source="x").currency, Literal["EUR", "USD"])
    assert_type(GotInt(value=1).value, int)
    assert_type(Approved(by="ann").by, str)
    assert_type(event_info(OrderPlaced), EventInfo)
    assert_type(event_info(OrderPlaced).deadline, timedelta | None)
    assert_type(parse_duration("1h30m"), timedelta)


class Rot:
    """A codec of one's own needs no base."""

    def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
        return value[::-1]

    def decode(self, value: bytes, context: PayloadContext, /) -> bytes:
        return value[::-1]


class Memory:
    """A table of one's own needs no base either."""

    async def put(self, key: bytes, value: bytes | None) -> None: ...

    async def load(self) -> Mapping[bytes, bytes]:
        return {}


async def bytes_and_back(key: bytes) -> None:
    codec: PayloadCodec = Chain(Rot(), Compress(), Encrypt({"a": key}, active="a"))
    types = EventTypes("orders", [OrderPlaced, PaymentTaken, GotInt], codec)
    table: Table = Memory()
    assert_type(await register(table, types, mode="full_transitive"), tuple[str, ...])
    await refresh(table, types)
    context = PayloadContext("orders", "run", "event", types.wire_name(PaymentTaken))
    encoded = types.encode(PaymentTaken(), context)
    assert_type(encoded, Encoded)
    event = types.decode("orders.Paid", encoded.value, coded=encoded.coded, context=context)
    assert_type(event, Event)
    assert_type(types.type_of("orders.Paid"), type[Event] | None)
