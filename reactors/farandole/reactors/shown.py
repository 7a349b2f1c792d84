"""What stands in the log, for people to read."""

from typing import Final

_MOST_SHOWN: Final = 200


def text(id: bytes) -> str:
    """An id as text. Ids are UTF-8 by rule, but nobody checks those that come from outside."""
    return id.decode(errors="replace")


def shown(said: bytes | str) -> str:
    """Something from the log for a line that people read: of one line, not long, and it drives no terminal."""
    whole = said if isinstance(said, str) else text(said)
    cut = whole if len(whole) <= _MOST_SHOWN else whole[:_MOST_SHOWN] + "…"
    return (
        cut
        if cut.isprintable()
        else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    )
