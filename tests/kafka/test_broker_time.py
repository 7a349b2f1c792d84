"""The broker's clock, told from the stamps of batches."""

import time

import pytest

from farandole.eventstore import Stored
from farandole.eventstore.kafka.brokertime import BrokerTime
from farandole.eventstore.kafka.rejected import headers_of


def test_before_any_stamp_the_clocks_are_taken_to_agree() -> None:
    assert abs(BrokerTime().now() - time.time() * 1000) < 1000


@pytest.mark.parametrize("ahead", [-600_000, 0, 600_000])
def test_stamps_show_how_far_the_broker_is_ahead(ahead: int) -> None:
    clock = BrokerTime()
    for _ in range(3):
        clock.acknowledged(time.monotonic() - 0.01, int(time.time() * 1000) - 5 + ahead)
    assert abs(clock.now() - time.time() * 1000 - ahead) < 1000


def test_it_is_never_before_a_stamp_that_was_given() -> None:
    clock = BrokerTime()
    stamp = int(time.time() * 1000) + 50_000
    clock.acknowledged(time.monotonic() - 100, stamp)
    assert clock.now() >= stamp


def test_a_rejected_record_has_the_headers_that_dead_letter_tools_know() -> None:
    record = Stored(3, 258, 0, b"k", b"v", [("a", b"1")])
    headers = headers_of("dance.events", record, "why")
    assert headers[0] == ("a", b"1")
    assert headers[-3:] == [
        ("kafka_dlt-original-topic", b"dance.events"),
        ("kafka_dlt-original-partition", b"\x00\x00\x00\x03"),
        ("kafka_dlt-original-offset", b"\x00\x00\x00\x00\x00\x00\x01\x02"),
    ]
