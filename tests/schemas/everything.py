"""Events that have a field of every kind, and strategies that make them."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, condecimal
from typing_extensions import TypeAliasType, TypedDict

from farandole.schemas import Event, Json

Sku = NewType("Sku", str)
Tags = TypeAliasType("Tags", list[str])


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Mood(Enum):
    GOOD = "so good"
    BAD = "not good"


class Address(BaseModel):
    street: str
    city: str = "Paris"
    since: date | None = None


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: str


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    amount: Decimal


class Left(BaseModel):
    value: int


class Right(BaseModel):
    """The same fields as Left: only its name tells it apart."""

    value: int


class Tree(BaseModel):
    name: str
    children: "list[Tree]" = []
    parent: "Tree | None" = None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)
    ids: set[UUID]
    pair: tuple[int, str]
    at: datetime


class Aliased(BaseModel):
    kind: str = Field(alias="type")
    type: int = Field(alias="kind")


class Names(RootModel[list[str]]): ...


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


class Span(NamedTuple):
    start: date
    end: date | None = None


class Options(TypedDict):
    loud: bool
    level: int


Money = condecimal(max_digits=10, decimal_places=2)


class Everything(Event):
    text: str
    whole: int
    real: float
    yes: bool
    raw: bytes
    maybe_text: str | None = None
    maybe_whole: int | None = None
    maybe_real: float | None = 1.5
    at: datetime
    aware: AwareDatetime
    maybe_at: datetime | None
    day: date
    day_or_instant: date | datetime | None
    clock: time
    span: timedelta
    exact: Decimal
    money: Annotated[Decimal, Field(max_digits=10, decimal_places=2)]
    wages: list[Money]  # type: ignore[valid-type]
    id: UUID
    sku: Sku
    tags: Tags
    colour: Colour
    size: Size = Size.SMALL
    mood: Mood | None
    colour_or_size: Colour | Size
    choice: Literal["a", "b c"]
    odd_choice: Literal["a", 1, True, None]
    number: int | float | str | bool
    address: Address
    other_address: Address | None
    addresses: list[Address]
    pay: Annotated[Card | Cash, Field(discriminator="kind")]
    side: Left | Right
    sides: list[Left | Right | None]
    many: dict[str, list[Decimal]]
    by_name: Mapping[str, Left | Right]
    unique: set[int]
    frozen: frozenset[str]
    several: tuple[int, ...]
    place: tuple[float, float]
    mixed: tuple[int, str]
    queue: deque[int]
    order: Sequence[str]
    free: Json
    maybe_free: Json | None
    nested: list[list[dict[str, int | None]]]
    tree: Tree
    strict: Strict
    aliased: Aliased
    names: Names
    point: Point
    period: Span
    options: Options
    host: IPv4Address
    path: Path


LONGS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INSTANTS = st.datetimes(timezones=st.just(UTC))
DATES = st.dates()
FLOATS = st.floats(allow_nan=False)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
MONEY = st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2)
JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS.filter(lambda x: abs(x) != float("inf")) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
LEFTS = st.builds(Left, value=LONGS)
RIGHTS = st.builds(Right, value=LONGS)
ADDRESSES = st.builds(Address, street=TEXTS, city=TEXTS, since=st.none() | DATES)
TREES = st.recursive(
    st.builds(Tree, name=TEXTS, children=st.just([]), parent=st.none()),
    lambda inner: st.builds(Tree, name=TEXTS, children=st.lists(inner, max_size=2), parent=st.none() | inner),
    max_leaves=4,
)


def lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=3)


def everythings() -> st.SearchStrategy[Everything]:
    """Any event with everything."""
    return st.builds(
        Everything,
        text=TEXTS,
        whole=LONGS,
        real=FLOATS,
        yes=st.booleans(),
        raw=st.binary(max_size=8),
        maybe_text=st.none() | TEXTS,
        maybe_whole=st.none() | LONGS,
        maybe_real=st.none() | FLOATS,
        at=INSTANTS,
        aware=INSTANTS,
        maybe_at=st.none() | INSTANTS,
        day=DATES,
        day_or_instant=st.none() | DATES | INSTANTS,
        clock=st.times(),
        span=st.timedeltas(timedelta(days=-(10**8)), timedelta(days=10**8)),
        exact=DECIMALS,
        money=MONEY,
        wages=lists(MONEY),
        id=st.uuids(),
        sku=TEXTS,
        tags=lists(TEXTS),
        colour=st.sampled_from(Colour),
        size=st.sampled_from(Size),
        mood=st.none() | st.sampled_from(Mood),
        colour_or_size=st.sampled_from(Colour) | st.sampled_from(Size),
        choice=st.sampled_from(["a", "b c"]),
        odd_choice=st.sampled_from(["a", 1, True, None]),
        number=LONGS | FLOATS | TEXTS | st.booleans(),
        address=ADDRESSES,
        other_address=st.none() | ADDRESSES,
        addresses=lists(ADDRESSES),
        pay=st.builds(Card, number=TEXTS) | st.builds(Cash, amount=DECIMALS),
        side=LEFTS | RIGHTS,
        sides=lists(LEFTS | RIGHTS | st.none()),
        many=st.dictionaries(TEXTS, lists(DECIMALS), max_size=3),
        by_name=st.dictionaries(TEXTS, LEFTS | RIGHTS, max_size=3),
        unique=st.sets(LONGS, max_size=3),
        frozen=st.frozensets(TEXTS, max_size=3),
        several=lists(LONGS).map(tuple),
        place=st.tuples(FLOATS, FLOATS),
        mixed=st.tuples(LONGS, TEXTS),
        queue=lists(LONGS).map(deque),
        order=lists(TEXTS),
        free=JSONS,
        maybe_free=JSONS,
        nested=lists(lists(st.dictionaries(TEXTS, st.none() | LONGS, max_size=2))),
        tree=TREES,
        strict=st.builds(Strict, ids=st.sets(st.uuids(), max_size=2), pair=st.tuples(LONGS, TEXTS), at=INSTANTS),
        aliased=st.builds(lambda kind, type: Aliased(type=kind, kind=type), kind=TEXTS, type=LONGS),
        names=lists(TEXTS).map(Names),
        point=st.builds(Point, FLOATS, FLOATS),
        period=st.builds(Span, DATES, st.none() | DATES),
        options=st.fixed_dictionaries({"loud": st.booleans(), "level": LONGS}),
        host=st.ip_addresses(v=4),
        path=st.sampled_from([Path("a/b"), Path("/"), Path("é")]),
    )
