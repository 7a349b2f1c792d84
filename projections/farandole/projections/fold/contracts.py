"""What each reactor takes, gives and promises, as the log says: the contracts in force in a partition."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from farandole.schemas import system_records

ACTIVE: Final = "active"
RETIRED: Final = ("retired_drop", "retired_keep")
MOST_NAME: Final = 255
"""Bytes that ``fa`` has room for in an id or the name of a reactor; run ids and names of types have no more."""
MOST_CONTRACT: Final = 64 * 1024
"""Bytes of a contract."""
MOST_TOGETHER: Final = 1000
"""Contracts in one append: those that wait for the rest of it are kept."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One reactor, as far as the fold and other people need to know it; never code."""

    reactor: bytes
    service: str
    takes: tuple[frozenset[bytes], ...]
    """The wire names that each parameter takes. For a reactor of failures: of what the failed step took; none: any."""
    form: str
    """``event`` (one parameter, or a join of several) or ``failed``."""
    of: frozenset[bytes]
    """Reactors whose failures it takes; none: any."""
    state: str
    renames: bytes
    """The reactor whose pairs this one takes over under a new name."""
    id: str
    """Hash of the content, ``replaces`` left out: 32 hexadecimal digits."""
    content: Mapping[str, Any]
    """All fields as recorded."""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Contract":
        """A contract from the fields of a ``farandole.Contract`` record."""
        forms = content["forms"]
        return cls(
            reactor=content["reactor"].encode(),
            service=content["service"],
            takes=tuple(frozenset(t.encode() for t in types) for types in content["takes"]),
            form=forms[0] if forms else "event",
            of=frozenset(r.encode() for r in content["of"]),
            state=content["state"],
            renames=content["renames"].encode(),
            id=contract_id(content),
            content=dict(content),
        )

    @property
    def active(self) -> bool:
        return self.state == ACTIVE

    @property
    def names(self) -> frozenset[bytes]:
        """Types whose events it subscribes to; none for a reactor of failures."""
        return frozenset().union(*self.takes) if self.form == "event" else frozenset()

    @property
    def sound(self) -> bool:
        """Whether there are rules for it. One that nothing could fulfil would leave what it owes owed for ever."""
        forms = self.content["forms"]
        if not 0 < len(self.reactor) <= MOST_NAME or len(forms) != len(self.takes):
            return False
        if self.state not in (ACTIVE, *RETIRED) or (self.renames and not self.active):
            return False
        if forms == ["failed"]:
            return True
        return set(forms) == {"event"} and all(self.takes) and len(self.names) == sum(map(len, self.takes))

    @property
    def shape(self) -> tuple[object, ...]:
        """What decides whether a pair owed under one contract can be handled by the code of another."""
        return (self.form, self.takes, self.of)

    @property
    def signals(self) -> bool:
        """Whether a signal from outside could make it owed."""
        return bool(self.content.get("signals"))


def contract_id(content: Mapping[str, Any]) -> str:
    """BLAKE2b-128 of the record's Avro bytes with ``replaces`` empty, in hexadecimal."""
    return blake2b(system_records.CONTRACT.encode({**content, "replaces": ""}), digest_size=16).hexdigest()


class Contracts:
    """The contracts in force, by reactor and by what they subscribe to."""

    __slots__ = ("_in_force", "by_type", "ever", "failed", "named", "signals")

    def __init__(self) -> None:
        self._in_force: dict[bytes, Contract] = {}
        self.ever: dict[bytes, set[str]] = {}
        """Ids of all contracts that each reactor ever had here."""
        self.named: set[bytes] = set()
        """Event types that any active contract ever named."""
        self.by_type: dict[bytes, tuple[Contract, ...]] = {}
        self.failed: tuple[Contract, ...] = ()
        self.signals = False

    def __getitem__(self, reactor: bytes) -> Contract:
        return self._in_force[reactor]

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._in_force.values())

    def get(self, reactor: bytes) -> Contract | None:
        return self._in_force.get(reactor)

    def was_in_force(self, contract: Contract) -> bool:
        return contract.id in self.ever.get(contract.reactor, ())

    def replace(self, contracts: Iterable[Contract]) -> None:
        """Put contracts in force together, each in the place of its reactor's former one."""
        for contract in contracts:
            self._in_force[contract.reactor] = contract
            self.ever.setdefault(contract.reactor, set()).add(contract.id)
            if contract.renames:
                self._in_force.pop(contract.renames, None)
            if contract.active:
                self.named |= contract.names
        subscriptions: dict[bytes, list[Contract]] = {}
        active = [c for c in self._in_force.values() if c.active]
        for c in active:
            for t in c.names:
                subscriptions.setdefault(t, []).append(c)
        self.by_type = {t: tuple(sorted(cs, key=lambda c: c.reactor)) for t, cs in subscriptions.items()}
        self.failed = tuple(sorted((c for c in active if c.form == "failed"), key=lambda c: c.reactor))
        self.signals = any(c.signals for c in active)
