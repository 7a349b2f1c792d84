"""Who asked for a record that has no other place for it: said in the query of its source."""

from typing import Final
from urllib.parse import quote, urlencode

_MOST_WHY: Final = 300


def on_behalf(source: str, *, why: str = "", **who: str) -> str:
    """A source (where a record comes from, a path) that says who asked, and why.

    Args:
        source: of the writer; what it says of anybody else is left out.
        why: of which 300 characters are kept.
        who: what is known of them, by name; what is empty is left out.
    """
    said = {name: value for name, value in {**who, "why": why[:_MOST_WHY]}.items() if value}
    path = source.partition("?")[0]
    return f"{path}?{urlencode(said, quote_via=quote)}" if said else path
