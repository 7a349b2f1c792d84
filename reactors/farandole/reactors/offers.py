"""What other services offer: runs that somebody serves, by the contracts and schemas in the log of a choreography."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from farandole.eventstore import EventStore
from farandole.projections.fold import Contract
from farandole.schemas import End, Start, UndecodableValue
from farandole.schemas.avro import KIND
from farandole.schemas.catalogue import PREFIX, Entry, read_entry
from farandole.schemas.rebuilt import rebuilt

from .errors import NotOffered
from .follower import Follower

if TYPE_CHECKING:
    from .choreography import Choreography

Opener = Callable[[str], Awaitable[EventStore]]
"""Opens the log of a choreography that is there already."""
Finder = Callable[[Opener], Awaitable[None]]
"""Declares what is known only once other logs were looked into."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of run that is served.

    Attributes:
        start: opens one; made of its schema, if nobody here has its class.
        ends: how it may end.
    """

    choreography: str
    start: type[Start]
    ends: tuple[type[End], ...]


async def find(choreography: "Choreography", open: Opener) -> None:
    """Declare what a service has that is known only now, before it begins to work.

    Raises:
        NotOffered: something that it needs is offered by nobody.
        StoreError: a log cannot be looked into.
    """
    for finder in choreography.finders.values():
        await finder(open)
    if choreography.finders:
        choreography.load()


async def offer_of(open: Opener, choreography: str, start: str | None = None) -> Offer:
    """What a choreography offers, by the contracts that are in force there now.

    Args:
        start: the name of the event that opens the runs; None: the only one there is.

    Raises:
        NotOffered: nobody does; says what is offered.
        DeclarationError: a class is needed that cannot be made of its schema.
        StoreError: the log is not there, or cannot be read.
    """
    store = await open(choreography)
    follower = Follower(store, restores=True)
    try:
        await follower.up_to_date([0])
        contracts = [contract for contract in follower.fold(0).contracts if contract.active]
        schemas = _newest(await store.catalogue.load(), choreography)
    finally:
        await follower.close()
        await store.close()
    offered = {name: ends for name in _starts(schemas, contracts) if (ends := _ends(name, schemas, contracts))}
    names = sorted(name.rpartition(".")[2] for name in offered)
    wanted = f"{choreography}.{start}" if start else (next(iter(offered)) if len(offered) == 1 else "")
    if wanted not in offered:
        what = f"nobody offers {start}" if start else f"it is not clear which run of '{choreography}' is meant"
        there = f"there are {', '.join(names)}" if names else "nobody serves any run there; start its services first"
        raise NotOffered(f"choreography '{choreography}': {what}: {there}", tuple(names))
    module = f"farandole.found.{choreography}"
    made: Any = rebuilt(schemas[wanted].schema, module)
    ended: Any = tuple(rebuilt(schemas[name].schema, module) for name in offered[wanted])
    return Offer(choreography, made, ended)


def _newest(catalogue: Mapping[bytes, bytes], choreography: str) -> dict[str, Entry]:
    """The schemas that a choreography's events are written with, of each the last one."""
    found: dict[str, Entry] = {}
    for key, value in catalogue.items():
        if key.startswith(PREFIX):
            try:
                entry = read_entry(key, value)
            except UndecodableValue:
                continue
            before = found.get(entry.name)
            if entry.reads:
                continue
            if entry.name.startswith(f"{choreography}.") and (before is None or before.order < entry.order):
                found[entry.name] = entry
    return found


def _starts(schemas: Mapping[str, Entry], contracts: Sequence[Contract]) -> Iterator[str]:
    taken = frozenset[bytes]().union(*(contract.names for contract in contracts))
    return (n for n, entry in sorted(schemas.items()) if entry.schema.get(KIND) == "start" and n.encode() in taken)


def _ends(start: str, schemas: Mapping[str, Entry], contracts: Sequence[Contract]) -> tuple[str, ...]:
    """The ends that may come of a start, whichever way leads there."""
    reached, new = {start}, {start}
    while new:
        given = {
            name
            for contract in contracts
            if _may_follow(contract, new)
            for each in contract.content["gives"]
            for name in each["types"]
        }
        new, reached = given - reached, reached | given
    return tuple(sorted(n for n in reached if n in schemas and schemas[n].schema.get(KIND) == "end"))


def _may_follow(contract: Contract, events: set[str]) -> bool:
    """Whether a reactor may be owed a step by one of these events, or by a failure or a child that comes of one."""
    named = {name for names in contract.content["takes"] for name in names}
    return (
        bool(named & events)
        or contract.takes_failures
        or any(":" in name for name in named)
        or contract.form == "child"
    )
