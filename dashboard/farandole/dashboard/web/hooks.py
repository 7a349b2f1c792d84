"""What the pages bring, where there are any."""

from importlib import import_module
from typing import Any, Final

_PAGES: Final = "farandole.dashboard.pages"


def of_pages(name: str) -> Any:
    """What the pages call so; None if they have no such thing, or there are none."""
    try:
        return getattr(import_module(_PAGES), name, None)
    except ModuleNotFoundError as e:
        if e.name != _PAGES:
            raise
        return None
