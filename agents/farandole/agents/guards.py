"""Guards: functions that look at what an agent takes or gives, before it goes on."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from farandole.reactors import UndeclaredOutcome
from farandole.schemas import Event

Guard: TypeAlias = Callable[[Any], "Awaitable[Event | None] | Event | None"]
"""Looks at an event. None lets it pass; another event of those that the agent gives is given instead; `Blocked` stops
the agent. After the model, Pydantic AI's `ModelRetry` tells the model what to do better."""


async def guarded(guards: Sequence[Guard], event: object, gives: Sequence[type[Event]], where: str) -> Event | None:
    """What is given instead, by the first guard that says so; None if all let the event pass."""
    for guard in guards:
        found = guard(event)
        if inspect.isawaitable(found):
            found = await found
        if found is not None:
            if type(found) not in gives:
                raise UndeclaredOutcome(f"{where}: a guard gives {type(found).__name__}, which the agent does not give")
            return found
    return None
