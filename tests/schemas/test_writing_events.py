"""What cannot be written as its schema says is an error that names the field, never the value."""

# ruff: noqa: RUF012 (pydantic copies defaults; the rule does not see that events are models)

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, SecretStr
from tests.schemas.everything import Left, Tree

from farandole.schemas import EncodingError, Event, EventTypes, Json, PayloadContext


class Wide(BaseModel):
    value: int


class Wider(Wide):
    more: int = 0


class Odd(Event):
    n: int = 0
    maybe: int | None = None
    many: list[int] = []
    text: str = ""
    at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    maybe_at: datetime | None = None
    clock: time = time()
    span: timedelta = timedelta()
    money: Annotated[Decimal, Field(max_digits=5, decimal_places=2)] = Decimal(0)
    free: Json = None
    wide: Wide = Wide(value=1)
    by_name: dict[str, Wide] = {}
    union: Left | str = ""
    secret: SecretStr = SecretStr("")


TYPES = EventTypes("a", [Odd])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": 2**63}, "field 'n' is an int of more than 64 bits; use Decimal or str for such numbers"),
        ({"maybe": -(2**63) - 1}, "field 'maybe' is an int of more than 64 bits"),
        ({"many": [1, 2**70]}, "field 'many[1]' is an int of more than 64 bits"),
        ({"text": "\ud800"}, "field 'text' holds text that UTF-8 cannot write"),
        ({"at": datetime(2020, 1, 1)}, "field 'at' is a datetime without a time zone; make it aware"),
        ({"maybe_at": datetime(2020, 1, 1)}, "field 'maybe_at' is a datetime without a time zone"),
        ({"clock": time(1, tzinfo=UTC)}, "field 'clock' is a time of day with a time zone"),
        ({"span": timedelta.max}, "field 'span' is a duration of more than 64 bits of microseconds"),
        ({"free": float("nan")}, "field 'free' cannot be said in JSON"),
        ({"free": ["\ud800"]}, "field 'free' holds text that UTF-8 cannot write"),
        ({"wide": Wider(value=1)}, "field 'wide' holds a Wider, but its type says Wide; name both in a union"),
        ({"wide": Wide(value=2**64)}, "field 'wide.value' is an int of more than 64 bits"),
        ({"by_name": {"pin-123456": Wide(value=2**64)}}, "field 'by_name[…].value' is an int of more than 64 bits"),
        ({"by_name": {"\ud800": Wide(value=2)}}, r"field 'by_name\[…\]' has a key that holds text that UTF-8"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(
        EncodingError, match=message.replace("[…]", r"\[…\]").replace("[1]", r"\[1\]").replace("\\\\", "\\")
    ) as e:
        TYPES.encode(Odd(**fields))
    assert str(e.value).startswith("a.Odd: field ")
    assert "123456" not in str(e.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": "123456"}, "field 'n' holds a str where its schema says long"),
        ({"money": Decimal("1234.56")}, "field 'money' has more than 3 digits before the point"),
        ({"money": Decimal("1.123456")}, "field 'money' has more than 2 decimal places"),
        ({"money": Decimal("1E+999999999")}, "field 'money' has more than 3 digits before the point"),
        ({"money": Decimal("NaN")}, "field 'money' is not a finite number"),
        ({"union": 123456}, "field 'union' holds a int, which is none of Left, str"),
        ({"wide": {"value": 123456}}, "field 'wide' holds a dict, but its type says Wide"),
        ({"many": 123456}, "field 'many' "),
        ({"by_name": 123456}, "field 'by_name"),
    ],
)
def test_what_was_never_checked_is_refused_without_quoting_it(fields: dict[str, Any], message: str) -> None:
    event = Odd.model_construct(**fields)
    with pytest.raises(EncodingError, match=message) as e:
        TYPES.encode(event)
    assert "123456" not in str(e.value)
    assert "123456" not in repr(e.value.__cause__)
    cause = e.value.__cause__
    assert cause is None or "123456" not in repr(cause.__cause__)


def test_a_field_that_was_never_set_is_refused() -> None:
    class Bare(Event):
        n: int

    with pytest.raises(EncodingError, match="field 'n' is not set"):
        EventTypes("a", [Bare]).encode(Bare.model_construct())


def test_a_value_that_nests_too_deep_is_refused() -> None:
    class Grown(Event):
        root: Tree

    types = EventTypes("a", [Grown])
    tree = Tree(name="leaf")
    for _ in range(60):
        tree = Tree(name="branch", children=[tree])
    assert types.decode("a.Grown", types.encode(Grown(root=tree)).value) == Grown(root=tree)
    for _ in range(10):
        tree = Tree(name="branch", parent=tree)
    with pytest.raises(EncodingError, match="it is nested more than 64 deep"):
        types.encode(Grown(root=tree))
    for _ in range(150):
        tree = Tree.model_construct(name="branch", children=[tree], parent=None)
    with pytest.raises(EncodingError, match="nested"):
        types.encode(Grown.model_construct(root=tree))
    for _ in range(3000):
        tree = Tree.model_construct(name="branch", children=[tree], parent=None)
    with pytest.raises(EncodingError, match="nested too deeply"):
        types.encode(Grown.model_construct(root=tree))


def test_an_event_too_large_is_refused() -> None:
    types = EventTypes("a", [Odd], max_bytes=1000)
    with pytest.raises(EncodingError, match=r"a\.Odd: it takes \d+ bytes, more than 1000; keep large data elsewhere"):
        types.encode(Odd(text="x" * 1000))


def test_a_codec_needs_a_context() -> None:
    class Same:
        def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
            return value

        decode = encode

    with pytest.raises(EncodingError, match="needs the context of the value; pass context="):
        EventTypes("a", [Odd], Same()).encode(Odd())


def test_secrets_are_written_and_read_but_never_shown() -> None:
    read = TYPES.decode("a.Odd", TYPES.encode(Odd(secret=SecretStr("123456"))).value)
    assert isinstance(read, Odd)
    assert read.secret.get_secret_value() == "123456"
    assert "123456" not in repr(read)
