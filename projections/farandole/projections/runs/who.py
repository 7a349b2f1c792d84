"""Who asked for something, and why, where a record says so."""

from typing import Final

from farandole.schemas.envelope import Envelope, Flag, Kind

from .payloads import Payload, plain, text

_HASH: Final = 16
_ANSWER, _RETRY, _EDITED = int(Kind.ANSWER), int(Kind.RETRY), int(Flag.EDITED)
_ASKS: Final = frozenset(map(int, (Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.RETRY, Kind.OWE, Kind.SETTING, Kind.VERSION, Kind.POLICY)))  # fmt: skip
_NOBODY: Final = (None, None)


def who(e: Envelope, payload: Payload) -> tuple[str | None, str | None]:
    """Who it was, and what they gave as the reason."""
    fields = payload.fields or {}
    if e.kind == _ANSWER:
        by = e.extra[_HASH + 1 : _HASH + 1 + e.extra[_HASH]] if len(e.extra) > _HASH else b""
        comment = fields.get("comment")
        return text(by) or None, plain(comment) or None if isinstance(comment, str) else None
    if e.kind not in _ASKS:
        return _NOBODY
    if e.kind == _RETRY and e.flags & _EDITED:
        if len(e.extra) < 2:
            return _NOBODY
        end = 2 + e.extra[1]
        return text(e.extra[2:end]) or None, text(e.extra[end:]) or None
    return plain(str(fields.get("by") or "")) or None, plain(str(fields.get("reason") or "")) or None
