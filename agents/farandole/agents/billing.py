"""What was spent in a run, and what one more call of a model adds to it."""

from decimal import Decimal
from typing import Protocol


class Spending(Protocol):
    """What was spent in a run so far.

    Attributes:
        tokens: in and out together.
        cost: in US dollars.
        set_aside: US dollars that runs which it started may spend.
        unpriced: a model whose price nobody knows, if there was one.
    """

    calls: int
    tool_calls: int
    tokens: int
    cost: Decimal
    set_aside: Decimal
    unpriced: str


class Billed(Protocol):
    """One call of a model, as it is billed."""

    @property
    def model(self) -> str: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cost(self) -> Decimal | None: ...


def bill(spent: Spending, call: Billed) -> None:
    """Add a call to what was spent."""
    spent.calls += 1
    spent.tokens += call.input_tokens + call.output_tokens
    if call.cost is None:
        spent.unpriced = call.model
    else:
        spent.cost += call.cost
