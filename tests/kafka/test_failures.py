"""No error of the client gets out as it is."""

import logging
import ssl
from collections.abc import Iterator

import pytest
from aiokafka import errors as kafka

from farandole.eventstore import (
    AppendError,
    AppendUnknown,
    NotAppended,
    StoreError,
    StoreMisconfigured,
    StoreUnavailable,
    TooLarge,
)
from farandole.eventstore.kafka.failures import refused, unreachable
from farandole.eventstore.kafka.quiet import quieten


def all_errors(of: type[Exception] = kafka.KafkaError) -> Iterator[type[Exception]]:
    yield of
    for each in of.__subclasses__():
        yield from all_errors(each)


# The base of all broker errors is no error of its own: it has no number.
ERRORS = sorted(set(all_errors()) - {kafka.BrokerResponseError}, key=lambda each: each.__name__)


@pytest.mark.parametrize("error", ERRORS, ids=[each.__name__ for each in ERRORS])
def test_every_error_of_the_client_has_its_twin_with_a_cure(error: type[Exception]) -> None:
    for ours in (unreachable("reading t/0", "kafka://b:9092", error("why")), refused("t/0", error("why"), 1)):
        assert isinstance(ours, StoreUnavailable | StoreMisconfigured | AppendError)
        assert ": " in str(ours) and error.__name__ in str(ours)


@pytest.mark.parametrize(
    ("error", "attempts", "ours"),
    [
        (kafka.MessageSizeTooLargeError(), 1, TooLarge),
        (kafka.PolicyViolationError(), 3, NotAppended),
        (kafka.TopicAuthorizationFailedError("t"), 1, NotAppended),
        (kafka.TopicAuthorizationFailedError("t"), 2, AppendUnknown),
        (kafka.TopicAuthorizationFailedError("t"), None, AppendUnknown),
        (kafka.OutOfOrderSequenceNumber(), 1, AppendUnknown),
        (kafka.KafkaConnectionError(), 1, AppendUnknown),
        (kafka.UnknownError(), 1, AppendUnknown),
    ],
)
def test_not_appended_is_said_only_when_it_is_certain(
    error: Exception, attempts: int | None, ours: type[AppendError]
) -> None:
    assert type(refused("t/0", error, attempts)) is ours


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (kafka.AuthenticationFailedError("x"), "FARANDOLE_KAFKA_PASSWORD"),
        (kafka.TopicAuthorizationFailedError("x"), "grant READ, WRITE and DESCRIBE"),
        (ssl.SSLError("x"), "ca="),
        (kafka.IncompatibleBrokerVersion("x"), "Kafka 3 and 4"),
    ],
)
def test_what_trying_again_cannot_mend_is_misconfigured(error: Exception, cure: str) -> None:
    ours = unreachable("connecting", "kafka://b:9092", error)
    assert isinstance(ours, StoreMisconfigured)
    assert cure in str(ours)


def test_our_own_errors_stay_as_they_are() -> None:
    ours = StoreError("ours")
    assert unreachable("x", "kafka://b:9092", ours) is ours


def test_the_client_is_quiet_unless_somebody_wants_to_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    client = logging.getLogger("aiokafka")
    monkeypatch.setattr(client, "level", logging.NOTSET)
    quieten()
    assert client.level > logging.CRITICAL
    client.setLevel(logging.INFO)
    quieten()
    assert client.level == logging.INFO
