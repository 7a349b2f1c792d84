"""Which rules of the protocol hold in a world: all of them, or all but one."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from farandole.projections.fold import contracts
from farandole.reactors import worker

if TYPE_CHECKING:
    from .world import World

Switch = Callable[[], AbstractContextManager[Any]]
"""Makes a context in which a rule is off."""


async def _no_lag(stats: object) -> None:
    """Here no event loop is ever late, and measuring it would take a third of the time."""
    await asyncio.Event().wait()


def _contract_id(content: Mapping[str, Any]) -> str:
    """Remembered, for the contracts of few releases are read a thousand times in each world."""
    key = repr(content)
    found = _ids.get(key)
    if found is None:
        found = _ids[key] = _true_contract_id(content)
    return found


_true_contract_id = contracts.contract_id
_ids: dict[str, str] = {}


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
            stack.enter_context(patch.object(contracts, "contract_id", _contract_id))
            for switch in self.off.switches if self.off is not None else ():
                stack.enter_context(switch())
            yield
