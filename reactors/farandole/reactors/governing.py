"""Kill switches: a reactor, or all of them, is stopped and goes on, from the offset of a record on that says so.

They bind what is begun, in every worker alike, and never what is admitted: handlers at work go on to their end, timers
fire, and runs can be cancelled meanwhile.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from farandole.eventstore import AppendUnknown, NotAppended, StoreUnavailable
from farandole.projections.fold import Fold
from farandole.schemas.envelope import Kind

from .errors import PolicyRefused, UnknownReactor

if TYPE_CHECKING:
    from .client import Client

_ROUNDS: Final = 10
_PATIENCE: Final = 30.0
_WAIT: Final = 0.2


@dataclass(frozen=True, slots=True)
class Governed:
    """What a kill switch came to.

    Attributes:
        partitions: how many it was turned in; in the others it stood as wanted.
        owed: how many steps that are not parked were owed then: it holds them back, or lets them go on.
    """

    partitions: int
    owed: int


async def govern(client: "Client", reactor: str, *, stopped: bool, why: str, by: str) -> Governed:
    """Stop a reactor or let it go on in every partition, and see it in force. The empty name stands for all reactors.

    Raises:
        UnknownReactor: no contract of that name is in force.
        PolicyRefused: others kept turning the same switch.
        AppendError: a record could not be appended within half a minute; doing it again is safe.
    """
    name = reactor.encode()
    partitions = range(client.store.partitions)
    written, owed = set[int](), 0
    for attempt in range(_ROUNDS):
        await client.follower.up_to_date(partitions)
        folds = [client.follower.fold(p) for p in partitions]
        # A reactor has no contract where its service has never been: there it owes nothing either.
        there = [fold for fold in folds if not name or fold.contracts.get(name) is not None]
        if not there:
            raise UnknownReactor(reactor, sorted({c.reactor.decode() for fold in folds for c in fold.contracts}))
        if not attempt:
            owed = sum(_owed(fold, name) for fold in there)
        left = [fold for fold in there if fold.stopped.get(name, (0, False))[1] is not stopped]
        if not left:
            return Governed(len(written), owed)
        written |= {fold.partition for fold in left}
        writes = (_write(client, fold, reactor, stopped, why, by) for fold in left)
        for failed in await asyncio.gather(*writes, return_exceptions=True):
            if failed is not None:
                raise failed
    who = f"reactor '{reactor}'" if reactor else "all reactors"
    raise PolicyRefused(f"{who}: somebody else keeps turning the same switch in {len(left)} partitions")


def stopped_in(folds: Iterable[Fold]) -> list[str]:
    """The reactors that are stopped somewhere, by name; the empty name stands for all."""
    return sorted({name.decode() for fold in folds for name, (_, stopped) in fold.stopped.items() if stopped})


async def _write(client: "Client", fold: Fold, reactor: str, stopped: bool, why: str, by: str) -> None:
    """Append the policy that follows the one in force. While its fate is unknown the same bytes are appended again."""
    number, _ = fold.stopped.get(reactor.encode(), (0, False))
    content = {"reactor": reactor, "stopped": stopped, "number": number + 1, "reason": why, "by": by}
    records = client.scribe.control(Kind.POLICY, [content])
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while True:
        try:
            await client.store.append(fold.partition, records)
        except (NotAppended, AppendUnknown, StoreUnavailable):
            if loop.time() > until:
                raise
            await asyncio.sleep(_WAIT)
        else:
            return


def _owed(fold: Fold, reactor: bytes) -> int:
    pairs = (pair for run in fold.runs.values() for pair in run.owed.values() if not pair.parked)
    return sum(not reactor or pair.reactor == reactor for pair in pairs)
