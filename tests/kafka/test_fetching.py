"""Fetch requests and answers are the bytes that the client itself would write and read."""

from io import BytesIO

import pytest
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11, FetchResponse_v11
from hypothesis import given
from hypothesis import strategies as st

from farandole.eventstore.kafka.fetching import Answer, Fetch, Fetched, Packed

i16 = st.integers(-(2**15), 2**15 - 1)
i32 = st.integers(-(2**31), 2**31 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
topics = st.text("abcdefghijklmnopqrstuvwxyz._-", min_size=1, max_size=249)
places = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1)), max_size=20)
partitions = st.tuples(
    i32, i16, i64, i64, i64, st.lists(st.tuples(i64, i64), max_size=3), i32, st.none() | st.binary(max_size=60)
)
responses = st.tuples(i32, i16, i32, st.lists(st.tuples(topics, st.lists(partitions, max_size=5)), max_size=3))


@given(topics, places, st.floats(0, 60), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_request_is_what_the_client_would_send(
    topic: str, places: list[tuple[int, int]], wait: float, each: int, most: int
) -> None:
    ours = Fetch(topic, places, wait=wait, each=each, all=most).build(Packed)
    theirs = FetchRequest(int(wait * 1000), 1, most, 0, [(topic, [(p, offset, each) for p, offset in places])])
    assert ours.encode() == theirs.build(FetchRequest_v11).encode()
    assert (ours.API_KEY, ours.API_VERSION) == (FetchRequest_v11.API_KEY, FetchRequest_v11.API_VERSION)


@given(responses)
def test_an_answer_is_read_as_the_client_would_read_it(response: tuple) -> None:
    body = FetchResponse_v11(*response).encode()
    fetched = Fetched.decode(BytesIO(body))
    assert fetched.code == response[1]
    assert fetched.answers == [
        Answer(partition, code, high_water, data or b"")
        for _, its in response[3]
        for partition, code, high_water, _, _, _, _, data in its
    ]


@given(responses, st.data())
def test_an_answer_that_is_cut_short_is_an_error(response: tuple, data: st.DataObject) -> None:
    body = FetchResponse_v11(*response).encode()
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(ValueError, match="cut short"):
        Fetched.decode(BytesIO(body[:cut]))
