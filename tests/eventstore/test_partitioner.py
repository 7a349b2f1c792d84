"""A key goes to the partition to which Kafka's own clients send it."""

from aiokafka.partitioner import murmur2 as clients
from hypothesis import given
from hypothesis import strategies as st

from farandole.eventstore import partition_of
from farandole.eventstore.partitioner import murmur2


@given(st.binary(max_size=70))
def test_it_is_the_hash_of_the_client(key: bytes) -> None:
    assert murmur2(key) == clients(key)


@given(st.binary(max_size=40), st.integers(1, 1000))
def test_it_is_the_partition_of_the_client(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (clients(key) & 0x7FFFFFFF) % partitions
