"""Contracts in force in one partition: sections 6 and 7."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from .catalogue import Catalogue, Undecodable
from .record import Raw

MOST_NAME: Final = 255
"""Bytes of an id or a name."""


class Contract(NamedTuple):
    """What a reactor takes, as its record says."""

    id: str
    reactor: bytes
    takes: tuple[frozenset[bytes], ...]
    forms: tuple[str, ...]
    of: frozenset[bytes]
    state: str
    signals: bool
    renames: bytes
    replaces: str
    offset: int
    each: str
    least: int
    """The lowest of the numbers that may not be negative."""
    compensates: bool
    unless: frozenset[bytes]
    enough: int
    within: int
    gives: tuple[tuple[str, frozenset[bytes]], ...]
    """Forms and types."""
    signal_types: frozenset[bytes]

    @property
    def active(self) -> bool:
        return self.state == "active"

    @property
    def on_failures(self) -> bool:
        """Whether it is for failures alone."""
        return self.forms == ("failed",)

    @property
    def gathers(self) -> bool:
        return self.forms == ("list",)

    @property
    def names(self) -> frozenset[bytes]:
        """Types whose events it takes; none if it is for failures."""
        if self.on_failures:
            return frozenset()
        return frozenset(name for name in frozenset().union(*self.takes) if not name.startswith(b"failed:"))

    @property
    def failures(self) -> frozenset[bytes] | None:
        """Types of what failed steps took whose failures it takes; empty: any. None: it takes none."""
        if self.on_failures:
            return self.takes[0]
        failed = frozenset(name[7:] for name in frozenset().union(*self.takes) if name.startswith(b"failed:"))
        if not failed:
            return None
        return frozenset() if b"" in failed else failed

    @property
    def shape(self) -> tuple[object, ...]:
        """What decides whether a join's queues can go on as they are."""
        return (self.forms, self.takes, self.of)

    @property
    def sound(self) -> bool:
        """Whether there are rules for it."""
        if not 0 < len(self.reactor) <= MOST_NAME or len(self.forms) != len(self.takes):
            return False
        if self.state not in ("active", "retired_drop", "retired_keep") or (self.renames and not self.active):
            return False
        if self.gathers is not bool(self.each) or self.least < 0:
            return False
        if self.on_failures:
            return True
        if not all(self.takes):
            return False
        if len(self.forms) == 1:
            return self.forms[0] in ("event", "list", "child_done", "child_failed", "either")
        return set(self.forms) == {"event"} and len(self.names) == sum(map(len, self.takes))


def read_contract(raw: Raw, catalogue: Catalogue) -> Contract:
    """A contract from its record.

    Raises:
        Undecodable: the value is none, or one that there are no rules for.
    """
    content = catalogue.decode_system(raw.value, "farandole.Contract")
    encoded = catalogue.encode((raw.value or b"")[2:10], {**content, "replaces": ""})
    contract = Contract(
        blake2b(encoded, digest_size=16).hexdigest(),
        content["reactor"].encode(),
        tuple(frozenset(name.encode() for name in names) for names in content["takes"]),
        tuple(content["forms"]),
        frozenset(name.encode() for name in content["of"]),
        content["state"],
        bool(content["signals"]),
        content["renames"].encode(),
        content["replaces"],
        raw.offset,
        content["each"],
        min(content["enough"], content["within"], content["deadline"]),
        content["compensates"],
        frozenset(name.encode() for name in content["unless"]),
        content["enough"],
        content["within"],
        tuple((given["form"], frozenset(name.encode() for name in given["types"])) for given in content["gives"]),
        frozenset(name.encode() for name in content["signals"]),
    )
    if not contract.sound:
        raise Undecodable(f"no rules for {content}")
    return contract


@dataclass(slots=True)
class Change:
    """A contract that came into force, and the one that it replaced."""

    new: Contract
    old: Contract | None
    first: bool
    """Whether its reactor never had one before, under this name or another."""


class Contracts:
    """All contracts in force, by reactor, and which types were ever named.

    Attributes:
        history: every contract that ever came into force, in order.
    """

    def __init__(self) -> None:
        self.by_reactor: dict[bytes, Contract] = {}
        self.ever: set[bytes] = set()
        self.ever_named: set[bytes] = set()
        self.history: list[Contract] = []

    def on_events(self) -> Iterator[Contract]:
        """The active ones to which events are owed, at once or in a join."""
        return (c for c in self.by_reactor.values() if c.active and not c.on_failures and not c.gathers)

    def fan_ins(self) -> Iterator[Contract]:
        """The active ones that gather what branches give."""
        return (c for c in self.by_reactor.values() if c.active and c.gathers)

    def fan_out(self) -> bool:
        """Whether an active one gives lists."""
        return any(c.active and any(form == "list" for form, _ in c.gives) for c in self.by_reactor.values())

    def on_failures(self) -> Iterator[Contract]:
        """The active ones to which failures are owed."""
        return (c for c in self.by_reactor.values() if c.active and c.failures is not None and not c.gathers)

    def drop_timers(self) -> frozenset[bytes]:
        """Types of events that drop timers: those that any contract in force names, retired ones included."""
        return frozenset().union(*(c.unless for c in self.by_reactor.values()))

    def admits(self, new: Sequence[Contract]) -> bool:
        """Whether each names the contract that it replaces."""
        for contract in new:
            old = self.by_reactor.get(contract.renames or contract.reactor)
            if contract.replaces != (old.id if old else ""):
                return False
            if contract.renames and contract.reactor in self.by_reactor:
                return False
        return True

    def enforce(self, new: Sequence[Contract]) -> list[Change]:
        """Bring contracts into force together."""
        changes = []
        for contract in new:
            old = self.by_reactor.pop(contract.renames or contract.reactor, None)
            self.by_reactor[contract.reactor] = contract
            self.history.append(contract)
            changes.append(Change(contract, old, old is None and contract.reactor not in self.ever))
            self.ever.add(contract.reactor)
        return changes
