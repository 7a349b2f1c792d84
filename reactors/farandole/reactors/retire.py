"""Retiring a reactor: nothing is owed to it any more, from the offset of the record on that says so."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from farandole.eventstore import AppendUnknown, NotAppended, StoreUnavailable
from farandole.projections.fold import Contract, Fold
from farandole.schemas.catalogue import retire_readers
from farandole.schemas.envelope import Kind

from .claims import disclaim
from .contract import retired
from .errors import RetirementRefused, UnknownReactor

if TYPE_CHECKING:
    from .client import Client

_ROUNDS: Final = 5
_PATIENCE: Final = 30.0
_WAIT: Final = 0.2


@dataclass(frozen=True, slots=True)
class Retirement:
    """What became of it.

    Attributes:
        service: who served the reactor.
        partitions: how many got a retired contract now; the others had it, or never had one.
        owed: how many steps it owed there: dropped, or still owed to whoever serves the name.
    """

    service: str
    partitions: int
    owed: int


async def retire(client: "Client", reactor: str, *, drop: bool) -> Retirement:
    """Write the retired contract of a reactor to each partition where it has one in force, and see it in force.

    Args:
        drop: drop what it owes; otherwise that stays owed, and workers that still have its code go on doing it.

    Raises:
        UnknownReactor: no contract of that name was ever in force.
        RetirementRefused: others kept putting contracts of that reactor in force.
        AppendError: a record could not be appended within half a minute; retiring again is safe.
    """
    name = reactor.encode()
    partitions = range(client.store.partitions)
    service, written, owed = "", set[int](), 0
    for _ in range(_ROUNDS):
        await client.follower.up_to_date(partitions)
        folds = [client.follower.fold(p) for p in partitions]
        known = [c for c in (fold.contracts.get(name) for fold in folds) if c is not None]
        if not known:
            raise UnknownReactor(reactor, _names(folds))
        service = service or known[0].service
        left = {fold.partition: c for fold in folds if (c := fold.contracts.get(name)) is not None and _lacks(c, drop)}
        if not left:
            await disclaim(client.store, reactor)
            await _read_no_more(client, service, _taken(known), folds)
            return Retirement(service, len(written), owed)
        owed += sum(_owed(client.follower.fold(p), name) for p in left if p not in written)
        written |= left.keys()
        writes = (_write(client, p, contract, drop) for p, contract in left.items())
        for failed in await asyncio.gather(*writes, return_exceptions=True):
            if failed is not None:
                raise failed
    raise RetirementRefused(
        f"reactor '{reactor}' cannot be retired in {len(left)} partitions: its service keeps putting new contracts in "
        f"force; stop service '{service}', or remove the reactor from its code first"
    )


async def _write(client: "Client", partition: int, contract: Contract, drop: bool) -> None:
    """Append the retired contract. While its fate is unknown the same bytes are appended again."""
    records = client.scribe.control(Kind.CONTRACT, [retired(contract, drop=drop)])
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while True:
        try:
            await client.store.append(partition, records)
        except (NotAppended, AppendUnknown, StoreUnavailable):
            if loop.time() > until:
                raise
            await asyncio.sleep(_WAIT)
        else:
            return


async def _read_no_more(client: "Client", service: str, names: frozenset[bytes], folds: Iterable[Fold]) -> None:
    """Let the events that a reactor took be written as if its service did not read them, unless another one there does."""
    others = [c for fold in folds for c in fold.contracts if c.service == service and c.active]
    gone = names - _taken(others)
    await retire_readers(client.store.catalogue, service, lambda name: bool(others) and name.encode() not in gone)


def _taken(contracts: Iterable[Contract]) -> frozenset[bytes]:
    return frozenset[bytes]().union(*(c.elements | (c.failures or frozenset()) for c in contracts))


def _lacks(contract: Contract, drop: bool) -> bool:
    return contract.active or (drop and contract.state != "retired_drop")


def _owed(fold: Fold, reactor: bytes) -> int:
    return sum(pair.reactor == reactor for run in fold.runs.values() for pair in run.owed.values())


def _names(folds: Iterable[Fold]) -> list[str]:
    return sorted({c.reactor.decode() for fold in folds for c in fold.contracts})
