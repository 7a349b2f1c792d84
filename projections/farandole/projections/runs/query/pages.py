"""Pages: where one ends, as text that the next question is asked with."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from farandole.schemas import FarandoleError

T = TypeVar("T")
MOST = 500
"""Rows of a page."""
_GREATEST = 1 << 63


class UnknownCursor(FarandoleError):
    """It is not what `Answer.next` gave, or it belongs to another question."""


def cursor_of(*place: int | str | None) -> str:
    """What names a place in an order."""
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def place_in(cursor: str, parts: int) -> Sequence[int]:
    """The place that a cursor names.

    Raises:
        UnknownCursor: it names none.
    """
    found = _read(cursor)
    if len(found) != parts or not all(map(_is_number, found)):
        raise _of_another()
    return found


def named_place_in(cursor: str, numbers: int, words: int) -> Sequence[int | str]:
    """The place that a cursor names by numbers, and then by words.

    Raises:
        UnknownCursor: it names none.
    """
    found = _read(cursor)
    begin, end = found[:numbers], found[numbers:]
    if len(found) != numbers + words or not (all(map(_is_number, begin)) and all(map(_is_word, end))):
        raise _of_another()
    return found


def _read(cursor: str) -> list[Any]:
    try:
        found = json.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError as e:
        raise UnknownCursor("that is no cursor; begin with the first page") from e
    if not isinstance(found, list):
        raise _of_another()
    return found


def _of_another() -> UnknownCursor:
    return UnknownCursor("that is a cursor of another question; begin with the first page")


def _is_word(part: object) -> bool:
    """Whether a database can compare with it."""
    return isinstance(part, str) and part.isprintable()


def _is_number(part: object) -> bool:
    """Whether a database can compare with it."""
    return isinstance(part, int) and -_GREATEST <= part < _GREATEST


def limited(limit: int) -> int:
    """So many rows as a page may have."""
    return max(1, min(limit, MOST))


def passed(cursor: str | None) -> int:
    """How many rows the pages before had, where rows are counted: they come in an order in which none moves.

    Raises:
        UnknownCursor: the cursor says no such thing.
    """
    return 0 if cursor is None else max(place_in(cursor, 1)[0], 0)


def cut(found: tuple[T, ...], limit: int | None, before: int) -> tuple[tuple[T, ...], str | None]:
    """A page of rows of which one more than it has was asked for, and what names the next page."""
    if limit is None or len(found) <= limit:
        return found, None
    return found[:limit], cursor_of(before + limit)
