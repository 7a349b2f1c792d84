"""The one place where errors of Kafka and of its client become ours.

the client's error                                   ours
─────────────────────────────────────────────────    ────────────────────────────────────────
not authorised, authentication, TLS, versions        StoreMisconfigured, with the cure
everything else                                      StoreUnavailable
on append: the broker looked at it and refused       TooLarge, NotAppended
on append: everything else, once it was sent         AppendUnknown
"""

import ssl
from typing import Final

from aiokafka import errors as kafka

from farandole.eventstore.errors import (
    AppendError,
    AppendUnknown,
    NotAppended,
    StoreError,
    StoreMisconfigured,
    StoreUnavailable,
    TooLarge,
)

# The client knows no names for these, though brokers answer with them: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
# OFFSET_NOT_AVAILABLE, PREFERRED_LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_ID, INCONSISTENT_TOPIC_ID. All of them pass.
OUT_OF_RANGE: Final = 1
CORRUPT: Final = 2
NOT_AUTHORISED: Final = frozenset({29, 30, 31})

_REFUSED: tuple[type[Exception], ...] = (
    kafka.InvalidTopicError,
    kafka.InvalidRequiredAcksError,
    kafka.InvalidTimestampError,
    kafka.UnsupportedForMessageFormatError,
    kafka.PolicyViolationError,
)
_DENIED: tuple[type[Exception], ...] = (
    kafka.TopicAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
    kafka.GroupAuthorizationFailedError,
)
_LOGIN: tuple[type[Exception], ...] = (
    kafka.AuthenticationFailedError,
    kafka.AuthenticationMethodNotSupported,
    kafka.SaslAuthenticationFailed,
    kafka.UnsupportedSaslMechanismError,
    kafka.IllegalSaslStateError,
)


def told(error: BaseException) -> str:
    """An error of the client in a few words."""
    text = str(error) or error.__class__.__name__
    return text if error.__class__.__name__ in text else f"{error.__class__.__name__}: {text}"


def unreachable(doing: str, url: str, error: BaseException) -> StoreError:
    """What to raise when something other than an append failed.

    Args:
        doing: what failed, as in "reading partition 3".
        url: the store's URL, without secrets.
        error: the client's error.
    """
    if isinstance(error, StoreError):
        return error
    where = f"{doing} failed at {url} ({told(error)})"
    if isinstance(error, _LOGIN):
        return StoreMisconfigured(
            f"{where}: the broker refused the login; check FARANDOLE_KAFKA_USERNAME, FARANDOLE_KAFKA_PASSWORD "
            "and sasl= in the store URL"
        )
    if isinstance(error, _DENIED):
        return StoreMisconfigured(
            f"{where}: the broker denies this user; grant READ, WRITE and DESCRIBE on the choreography's topics "
            "and READ on its groups"
        )
    if isinstance(error, ssl.SSLError):
        return StoreMisconfigured(
            f"{where}: TLS could not be agreed; check that this is the TLS port of the broker, and ca=, cert= and "
            "key= in the store URL"
        )
    if isinstance(error, kafka.IncompatibleBrokerVersion | kafka.UnsupportedVersionError):
        return StoreMisconfigured(f"{where}: the broker is too old or too new; Farandole works with Kafka 3 and 4")
    return StoreUnavailable(f"{where}: check that the broker runs and that its advertised address is reachable here")


def refused(where: str, error: BaseException, attempts: int | None) -> AppendError:
    """What to raise when a batch that was sent was not acknowledged.

    Args:
        where: the partition, as in "orders.events/3".
        error: the client's error.
        attempts: how often the batch was sent, if that is known. A broker that refuses the second attempt says nothing
            about the first.
    """
    text = f"the append to {where} was not acknowledged ({told(error)})"
    if isinstance(error, kafka.MessageSizeTooLargeError | kafka.RecordListTooLargeError):
        return TooLarge(
            f"{text}: the topic's max.message.bytes was lowered after this store was opened; raise it, or open the "
            "store again"
        )
    if isinstance(error, _REFUSED):
        return NotAppended(f"{text}: the broker refused it; `farandole doctor` checks the topic")
    if isinstance(error, _DENIED) and attempts == 1:
        return NotAppended(f"{text}: grant this user WRITE on the topic")
    return AppendUnknown(f"{text}: append the same bytes again")
