"""Two releases of the order example's events: what is packed has an optional field in the first and another in the second.

Each must read what the other wrote.
"""

from typing import Final

from farandole.schemas import Event

ONLY_IN: Final = {"1": "note", "2": "weight"}
"""By release, the field that the other one has not."""


def order_packed(release: str) -> type[Event]:
    """What the warehouse's reactor makes, as a release declares it."""
    if release == "1":

        class OrderPacked(Event):
            box: str
            note: str = "as ordered"

        return OrderPacked
    return _second()


def _second() -> type[Event]:
    class OrderPacked(Event):
        box: str
        weight: int = 0

    return OrderPacked
