"""Open the log of a choreography by its URL. Each kind of store is imported only when it is asked for."""

import os
import re
from collections.abc import Awaitable, Callable
from typing import Final

from .clock import Clock, SystemClock
from .contract import EventStore
from .errors import StoreMisconfigured
from .urls import without_secrets

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")
PARTITIONS: Final = 16
"""How many partitions a log gets unless told otherwise."""
_MOST_PARTITIONS: Final = 10_000
_FORMS: Final = (
    "kafka://host:9092[,host:9092], sqlite:///relative.db, sqlite:////absolute.db, "
    "memory://name (shared within this process), memory:// (a log of its own)"
)


async def connect(
    url: str | None,
    choreography: str,
    *,
    create: bool = True,
    partitions: int | None = None,
    clock: Clock | None = None,
) -> EventStore:
    """Open the log of a choreography.

    Args:
        url: where the log is: ``kafka://host:9092``, ``sqlite:///orders.db``, ``memory://``. None: the environment
            variable ``FARANDOLE_STORE``.
        choreography: its name: lower-case letters, digits and ``. _ -`` between them, 100 at most.
        create: make the log if it is not there.
        partitions: how many partitions the log gets if it is made now, 16 by default; if given, a log that is there
            must have as many. With ``create=False`` the log is taken as it is.
        clock: stamps the records of in-memory and SQLite logs; the machine's clock by default. A broker has its own.

    Raises:
        StoreMisconfigured: the URL, the name or the log is not right; the message says the cure.
        StoreUnavailable: the log cannot be reached.
    """
    url = url or os.environ.get("FARANDOLE_STORE", "")
    if not url:
        raise StoreMisconfigured(f"no store was named: give a store URL or set FARANDOLE_STORE, as one of {_FORMS}")
    check_name(choreography)
    if partitions is not None and not 1 <= partitions <= _MOST_PARTITIONS:
        raise StoreMisconfigured(f"a log has between 1 and {_MOST_PARTITIONS:,} partitions, not {partitions}")
    scheme, found, _ = url.partition(":")
    opener = _OPENERS.get(scheme.lower()) if found else None
    if opener is None:
        raise StoreMisconfigured(f"{without_secrets(url)!r} is not a store URL; give one of {_FORMS}")
    clock = clock or SystemClock()
    if create and partitions is None:
        # A log that is there is taken as it is; only one that is not there needs a number.
        try:
            return await opener(url, choreography, False, PARTITIONS, clock)
        except StoreMisconfigured:
            pass
    return await opener(url, choreography, create, partitions or PARTITIONS, clock)


def check_name(choreography: str) -> None:
    """Refuse a choreography name that cannot prefix the names of topics.

    Raises:
        StoreMisconfigured: it has other characters than those allowed, or more than 100.
    """
    if not _NAME.fullmatch(choreography):
        raise StoreMisconfigured(
            f"{choreography[:120]!r} cannot name a choreography: use 1 to 100 lower-case letters, digits, dots, "
            "underscores and hyphens, and begin and end with a letter or digit"
        )


async def _memory(url: str, choreography: str, create: bool, partitions: int, clock: Clock) -> EventStore:
    from .memory import open_memory

    return open_memory(url, choreography, create=create, partitions=partitions, clock=clock)


async def _sqlite(url: str, choreography: str, create: bool, partitions: int, clock: Clock) -> EventStore:
    from .sqlite import open_sqlite

    return await open_sqlite(url, choreography, create=create, partitions=partitions, clock=clock)


async def _kafka(url: str, choreography: str, create: bool, partitions: int, clock: Clock) -> EventStore:
    from .kafka import open_kafka

    return await open_kafka(url, choreography, create=create, partitions=partitions)


_OPENERS: Final[dict[str, Callable[[str, str, bool, int, Clock], Awaitable[EventStore]]]] = {
    "kafka": _kafka,
    "memory": _memory,
    "sqlite": _sqlite,
}
