"""What an event has is told by how it is written; what somebody only reads of it may lack fields."""

import pytest

from farandole.dashboard.pages.asking.types import Types
from farandole.schemas.catalogue import Entry


def entry(order: int, *fields: str, reads: str = "") -> Entry:
    schema = {"type": "record", "name": "shop.Paid", "fields": [{"name": f, "type": "string"} for f in fields]}
    return Entry(b"schema/shop.Paid/1/%d" % order, "shop.Paid", 1, order, bytes(8), schema, reads)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(1, "order", "customer"), entry(2, "order", reads="quality")], {"order", "customer"}),
        ([entry(1, "order", reads="quality"), entry(2, "order", "customer")], {"order", "customer"}),
        ([entry(1, "order", "customer"), entry(2, "order")], {"order"}),
        ([entry(1, "order", reads="quality")], {"order"}),
    ],
)
def test_the_newest_schema_that_is_written_counts(entries: list[Entry], expected: set[str]) -> None:
    schema = Types(entries, [], {}).schema("shop.Paid")
    assert schema is not None and {field["name"] for field in schema["fields"]} == expected
