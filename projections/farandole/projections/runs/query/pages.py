"""Pages: where one ends, as text that the next question is asked with."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from farandole.schemas import FarandoleError

MOST = 500
"""Rows of a page."""


class UnknownCursor(FarandoleError):
    """It is not what `Answer.next` gave, or it belongs to another question."""


def cursor_of(*place: int | None) -> str:
    """What names a place in an order."""
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def place_in(cursor: str, parts: int) -> Sequence[int]:
    """The place that a cursor names.

    Raises:
        UnknownCursor: it names none.
    """
    try:
        found = json.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError as e:
        raise UnknownCursor("that is no cursor; begin with the first page") from e
    if not isinstance(found, list) or len(found) != parts or not all(isinstance(each, int) for each in found):
        raise UnknownCursor("that is a cursor of another question; begin with the first page")
    return found
