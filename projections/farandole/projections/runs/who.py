"""Who asked for something, and why, where a record says so."""

from typing import Final
from urllib.parse import parse_qs

from farandole.schemas.envelope import Envelope, Flag, Kind

from .payloads import Payload, plain, text

_HASH: Final = 16
_ANSWER, _RETRY, _EDITED = int(Kind.ANSWER), int(Kind.RETRY), int(Flag.EDITED)
_ASKS: Final = frozenset(map(int, (Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.RETRY, Kind.OWE, Kind.SETTING, Kind.VERSION, Kind.POLICY, Kind.SCHEDULE)))  # fmt: skip
_FROM_OUTSIDE: Final = frozenset(map(int, (Kind.START, Kind.SIGNAL, Kind.TICK)))
_NOBODY: Final = (None, None)
KINDS_OF_ACTS: Final = tuple(kind.name.lower() for kind in Kind if kind in _ASKS | _FROM_OUTSIDE | {_ANSWER})
"""Of records that say what somebody outside did, or asked for."""


def who(e: Envelope, payload: Payload) -> tuple[str | None, str | None]:
    """Who it was, and what they gave as the reason."""
    fields = payload.fields or {}
    if e.kind == _ANSWER:
        by = e.extra[_HASH + 1 : _HASH + 1 + e.extra[_HASH]] if len(e.extra) > _HASH else b""
        comment = fields.get("comment")
        return text(by) or None, plain(comment) or None if isinstance(comment, str) else None
    if e.kind not in _ASKS:
        return _by_source(e.source) if e.kind in _FROM_OUTSIDE and b"?" in e.source else _NOBODY
    if e.kind == _RETRY and e.flags & _EDITED:
        if len(e.extra) < 2:
            return _NOBODY
        end = 2 + e.extra[1]
        return text(e.extra[2:end]) or None, text(e.extra[end:]) or None
    return plain(str(fields.get("by") or "")) or None, plain(str(fields.get("reason") or "")) or None


def _by_source(source: bytes) -> tuple[str | None, str | None]:
    """Events from outside have no place for who sent them but where they say that they come from."""
    said = origin_of(text(source))
    return said.get("by"), said.get("why")


def origin_of(source: str) -> dict[str, str]:
    """What a source says of whoever is behind it: ``by``, ``via`` (how they were known), ``ip``, ``request`` (its id), ``why``."""
    query = source.partition("?")[2]
    try:
        return {name: plain(values[0]) for name, values in parse_qs(query, max_num_fields=8).items()} if query else {}
    except ValueError:
        return {}
