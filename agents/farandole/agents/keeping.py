"""What a call came to, kept beside the log if it is large: whoever cannot keep it says so, and not that the call failed."""

import asyncio
from typing import Any, Final

from .errors import ContentNotKept
from .large import Kept, Large

AGAIN: Final = (0.2, 1.0, 5.0)
"""Seconds between attempts, where what it came of is not to be made again."""


def kept_now(large: Large | None, content: Any) -> tuple[Any, Kept | None]:
    """What an event holds of something, and where the whole of it is now, if it is large. It blocks.

    Raises:
        ContentNotKept: it could not be kept.
    """
    if large is None:
        return content, None
    try:
        return large.keep(content)
    except Exception as e:  # of whichever store
        raise ContentNotKept(f"{type(large.store).__name__} failed with {type(e).__name__}: {e}") from e


async def kept(large: Large | None, content: Any, *, patiently: bool) -> tuple[Any, Kept | None]:
    """Likewise, in a thread.

    Args:
        patiently: try for some seconds.

    Raises:
        ContentNotKept: it could not be kept.
    """
    if large is None:
        return content, None
    for wait in AGAIN if patiently else ():
        try:
            return await asyncio.to_thread(kept_now, large, content)
        except ContentNotKept:
            await asyncio.sleep(wait)
    return await asyncio.to_thread(kept_now, large, content)
