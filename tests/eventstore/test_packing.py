"""Records survive the way into a row and back."""

from hypothesis import given
from hypothesis import strategies as st

from farandole.eventstore import Record
from farandole.eventstore.sqlite.packing import pack, unpack

HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=8), st.binary(max_size=40)), max_size=4)
RECORDS = st.builds(Record, st.none() | st.binary(max_size=20), st.none() | st.binary(max_size=300), HEADERS.map(tuple))


@given(st.lists(RECORDS, max_size=8), st.integers(0, 8))
def test_what_is_packed_is_unpacked_from_any_record_on(records: list[Record], start: int) -> None:
    packed = b"".join(pack(r) for r in records)
    assert list(unpack(packed, min(start, len(records)))) == records[start:]
