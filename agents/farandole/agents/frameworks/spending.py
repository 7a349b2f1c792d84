"""What an agent of another framework has spent in a run: what its events tell, and what the leg has called since."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from farandole.agents.billing import bill
from farandole.agents.events import ModelReplied

from .calls import ModelCall, ToolCall


@dataclass
class Spent:
    """See `farandole.agents.billing.Spending`."""

    calls: int = 0
    tool_calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    set_aside: Decimal = Decimal(0)
    unpriced: str = ""

    def add(self, call: ModelCall | ToolCall | Any) -> None:
        """A call that has ended, as it is recorded or as an event tells it."""
        if not isinstance(call, ModelCall | ModelReplied):
            self.tool_calls += 1
            return
        bill(self, call)


def spent_in(events: Iterable[Any]) -> Spent:
    """What the events of a run tell of."""
    spent = Spent()
    for event in events:
        spent.add(event)
    return spent
