"""Event ids, run keys and step keys.

Ids of events that the log itself gives rise to are *derived*, so that a repeated append is recognisable: 32 lower-case
hexadecimal digits of BLAKE2b-128 over the length-prefixed parts. Ids from outside (starts, signals, commands) are
random and begin with ``x``, so that none can ever equal a derived one.
"""

import os
import secrets
from functools import lru_cache
from hashlib import blake2b

OUTSIDE = b"x"


def _digest(*parts: bytes) -> bytes:
    h = blake2b(digest_size=16)
    for part in parts:
        h.update(len(part).to_bytes(4, "big") + part)
    return h.hexdigest().encode()


def derived_id(trigger: bytes, reactor: bytes, generation: bytes, index: int) -> bytes:
    """The id of the event at ``index`` in the outcome that ``reactor`` made of ``trigger`` in ``generation``."""
    return (
        blake2b(b"%d:%b%b%d" % (len(trigger), trigger, _middle(reactor, generation), index), digest_size=16)
        .hexdigest()
        .encode()
    )


@lru_cache(maxsize=1024)
def _middle(reactor: bytes, generation: bytes) -> bytes:
    """What all ids of one reactor share."""
    return b"%d:%b%d:%b" % (len(reactor), reactor, len(generation), generation)


def failure_id(trigger: bytes, reactor: bytes, generation: bytes, attempt: int) -> bytes:
    """The id of the failure of one attempt; no outcome's event has it, for no index is negative."""
    return derived_id(trigger, reactor, generation, -attempt)


def outside_id() -> bytes:
    """A fresh random id for a start, a signal or a command: ``x`` and 32 hexadecimal digits."""
    return OUTSIDE + secrets.token_hex(16).encode()


def is_outside(event_id: bytes) -> bool:
    return event_id.startswith(OUTSIDE)


_drawn: list[bytes] = []
"""Random names of appends, drawn from the system many at a time, for drawing costs as much as the rest of a record."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)


def new_append() -> bytes:
    """16 random bytes that name one attempt to append; kept when the same bytes are appended again."""
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            drawn = secrets.token_bytes(4096)
            _drawn.extend(drawn[at : at + 16] for at in range(0, len(drawn), 16))


def step_key(run_id: bytes, start_id: bytes, trigger: bytes, reactor: bytes) -> str:
    """The idempotency key of a step: the same for all attempts, for ``retry`` and for ``owe``."""
    return _digest(run_id, start_id, trigger, reactor).decode()


def new_run_id() -> str:
    """A random run id of 32 hexadecimal digits."""
    return secrets.token_hex(16)
