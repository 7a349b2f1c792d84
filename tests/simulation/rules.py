"""Which rules of the protocol hold in a world: all of them, or all but one."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from farandole.reactors import worker
from farandole.reactors.keeping import messages

from .remembered import remembered
from .versions import versions

if TYPE_CHECKING:
    from .world import World

Switch = Callable[[], AbstractContextManager[Any]]
"""Makes a context in which a rule is off."""


async def _no_lag(stats: object) -> None:
    """Here no event loop is ever late, and measuring it would take a third of the time."""
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that can be switched off.

    Attributes:
        section: where `docs/protocol.md`, or the design, has it.
        finds: what the judge says when it does not hold, in part.
        switches: turn it off.
        seeds: within how many seeds it is found.
    """

    name: str
    section: str
    finds: str
    switches: Sequence[Switch]
    prepare: "Callable[[World], None] | None" = None
    seeds: int = 150


@dataclass(slots=True)
class Rules:
    """The rules of one world.

    Attributes:
        off: the rule that does not hold in it.
    """

    off: Rule | None = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(patch.object(worker, "measure_lag", _no_lag))
            # A world is quiet once nothing happens for a while: whoever sends again must not wait for longer.
            stack.enter_context(patch.object(messages, "_MOST_AGAIN", 5_000))
            stack.enter_context(remembered())
            stack.enter_context(versions())
            for switch in self.off.switches if self.off is not None else ():
                stack.enter_context(switch())
            yield
