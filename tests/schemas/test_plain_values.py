"""Values are read without their classes, by the schemas in the catalogue."""

from decimal import Decimal

import pytest

from farandole.schemas import Event, EventTypes, PlainValues, UndecodableValue, system_records
from farandole.schemas.catalogue import register


class Size(Event):
    width: int
    price: Decimal


class Catalogue:
    """The catalogue, as a dict."""

    def __init__(self) -> None:
        self.content: dict[bytes, bytes] = {}

    async def put(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.content.pop(key, None)
        else:
            self.content[key] = value

    async def load(self) -> dict[bytes, bytes]:
        return dict(self.content)


TYPES = EventTypes("shop", [Size])


@pytest.fixture
async def catalogue() -> dict[bytes, bytes]:
    table = Catalogue()
    await register(table, TYPES)
    return table.content


async def test_an_event_is_read_by_the_catalogues_schema(catalogue: dict[bytes, bytes]) -> None:
    values = PlainValues()
    value = TYPES.encode(Size(width=3, price=Decimal("1.50"))).value
    assert not values.knows(value)
    values.learn(catalogue)
    assert values.knows(value)
    assert values.read(value) == {"width": 3, "price": Decimal("1.50")}


async def test_system_records_need_no_catalogue() -> None:
    value = system_records.CANCEL.encode({"reason": "why", "by": "ann"})
    assert PlainValues().read(value) == {"reason": "why", "by": "ann"}


async def test_what_cannot_be_read_says_why(catalogue: dict[bytes, bytes]) -> None:
    values = PlainValues()
    value = TYPES.encode(Size(width=3, price=Decimal("1.50"))).value
    with pytest.raises(UndecodableValue, match="not in the catalogue"):
        values.read(value)
    values.learn(catalogue)
    with pytest.raises(UndecodableValue):
        values.read(value[:-1])
    with pytest.raises(UndecodableValue):
        values.read(b"no avro")


async def test_entries_that_are_no_schemas_are_passed_over(catalogue: dict[bytes, bytes]) -> None:
    values = PlainValues()
    values.learn({b"schema/broken": b"{", b"service/x": b"", **catalogue})
    assert values.knows(TYPES.encode(Size(width=1, price=Decimal(1))).value)
