"""What a reply of a model costs."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from pydantic_ai.messages import ModelResponse

Price: TypeAlias = Callable[[ModelResponse], Decimal | None]
"""From a reply to US dollars; None if nobody knows."""


def cost_of(response: ModelResponse) -> Decimal | None:
    """What a reply costs in US dollars, as Pydantic AI knows it; None if it does not."""
    if response.usage.cost is not None:
        return response.usage.cost
    try:
        return response.cost().total_price
    except (LookupError, ValueError, AssertionError):  # nobody has a price for it
        return None
