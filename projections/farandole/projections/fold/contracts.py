"""What each reactor takes, gives and promises, as the log says: the contracts in force in a partition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from farandole.schemas import system_records

if TYPE_CHECKING:
    from .leading import Leading

ACTIVE: Final = "active"
RETIRED: Final = ("retired_drop", "retired_keep")
MOST_NAME: Final = 255
"""Bytes that ``fa`` has room for in an id or the name of a reactor; run ids and names of types have no more."""
MOST_CONTRACT: Final = 64 * 1024
"""Bytes of a contract."""
MOST_TOGETHER: Final = 1000
"""Contracts in one append: those that wait for the rest of it are kept."""
FAILED: Final = b"failed:"
"""What stands before the type that a failed step took, where failures are taken among other things; with no type: any."""
CHILD_DONE: Final = b"child_done:"
"""What stands before the name of an End, without its choreography, in the type of a child's end."""
CHILD_FAILED: Final = b"child_failed:"
"""What stands before the name of a Start, without its choreography, in the type of a child's failure."""
_CHILD: Final = ("child_done", "child_failed")


@dataclass(frozen=True, slots=True)
class Contract:
    """One reactor, as far as the fold and other people need to know it; never code."""

    reactor: bytes
    service: str
    takes: tuple[frozenset[bytes], ...]
    """The wire names that each parameter takes. For a reactor of failures: of what the failed step took; none: any."""
    form: str
    """``event`` (one parameter), ``join`` (of several), ``failed``, ``list``, ``child`` or ``either``."""
    direct: bool
    """Whether each event that it takes is owed to it at once, by itself."""
    elements: frozenset[bytes]
    """Types of which it takes events, joined and gathered ones and news of children included."""
    takes_failures: bool
    """Whether it takes failures, alone or among other things: then no reactor of failures catches its own."""
    failures: frozenset[bytes] | None
    """Types of what a failed step took whose failure it takes; empty: any. None: it takes no failures."""
    of: frozenset[bytes]
    """Reactors whose failures it takes; none: any."""
    state: str
    renames: bytes
    """The reactor whose pairs this one takes over under a new name."""
    each: bytes
    """Of a list: the type whose fan-out it gathers."""
    enough: int
    """Of a list: how many branches are enough; 0: all."""
    within: int
    """Of a list: milliseconds after which what is there is enough; 0: never."""
    deadline: int
    """Milliseconds that a step of it may take in all; 0: for ever."""
    unless: frozenset[bytes]
    """Types of events that drop its timers."""
    compensates: bool
    fans: bool
    """Whether it may give a fan-out."""
    id: str
    """Hash of the content, ``replaces`` left out: 32 hexadecimal digits."""
    content: Mapping[str, Any]
    """All fields as recorded."""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Contract":
        """A contract from the fields of a ``farandole.Contract`` record. A field with a default may be left out."""
        takes = tuple(frozenset(t.encode() for t in types) for types in content["takes"])
        form = _form(content["forms"])
        named = frozenset[bytes]().union(*takes)
        failed = frozenset(t.removeprefix(FAILED) for t in named if t.startswith(FAILED))
        return cls(
            reactor=content["reactor"].encode(),
            service=content["service"],
            takes=takes,
            form=form,
            direct=form in ("event", "child", "either"),
            elements=frozenset() if form == "failed" else frozenset(t for t in named if not t.startswith(FAILED)),
            takes_failures=form == "failed" or bool(failed),
            failures=named if form == "failed" else (failed if b"" not in failed else frozenset()) if failed else None,
            of=frozenset(r.encode() for r in content["of"]),
            state=content["state"],
            renames=content["renames"].encode(),
            each=content.get("each", "").encode(),
            enough=content.get("enough", 0),
            within=content.get("within", 0),
            deadline=content.get("deadline", 0),
            unless=frozenset(t.encode() for t in content.get("unless", ())),
            compensates=content.get("compensates", False),
            fans=any(given["form"] == "list" for given in content.get("gives", ())),
            id=contract_id(content),
            content=dict(content),
        )

    @property
    def active(self) -> bool:
        return self.state == ACTIVE

    @property
    def names(self) -> frozenset[bytes]:
        """Types whose events are owed to it, at once or in a join; none for a fan-in, which gathers them."""
        return frozenset() if self.form == "list" else self.elements

    @property
    def sound(self) -> bool:
        """Whether there are rules for it. One that nothing could fulfil would leave what it owes owed for ever."""
        forms = self.content["forms"]
        if not 0 < len(self.reactor) <= MOST_NAME or len(forms) != len(self.takes):
            return False
        if self.state not in (ACTIVE, *RETIRED) or (self.renames and not self.active):
            return False
        if (self.form == "list") is not bool(self.each) or min(self.enough, self.within, self.deadline) < 0:
            return False
        if forms == ["failed"]:
            return True
        if not all(self.takes):
            return False
        if len(forms) == 1:
            return forms[0] in ("event", "list", "either", *_CHILD)
        return set(forms) == {"event"} and len(self.names) == sum(map(len, self.takes))

    @property
    def shape(self) -> tuple[object, ...]:
        """What decides whether a pair owed under one contract can be handled by the code of another."""
        return (tuple(self.content["forms"]), self.takes, self.of)

    @property
    def signals(self) -> bool:
        """Whether a signal from outside could make it owed."""
        return bool(self.content.get("signals"))


def _form(forms: Sequence[str]) -> str:
    """One word for the forms of all parameters; nothing that is not sound need have a right one."""
    if len(forms) > 1:
        return "join"
    return "child" if forms and forms[0] in _CHILD else forms[0] if forms else "event"


def contract_id(content: Mapping[str, Any]) -> str:
    """BLAKE2b-128 of the record's Avro bytes with ``replaces`` empty, in hexadecimal."""
    return blake2b(system_records.CONTRACT.encode({**content, "replaces": ""}), digest_size=16).hexdigest()


class Contracts:
    """The contracts in force, by reactor and by what they subscribe to."""

    __slots__ = (
        "_in_force", "by_type", "compensating", "ever", "failed", "fans", "joined", "leading", "lists", "named", "signals",
        "watched",
    )  # fmt: skip

    def __init__(self) -> None:
        self._in_force: dict[bytes, Contract] = {}
        self.leading: Leading | None = None
        """What can follow from what, once somebody asked."""
        self.ever: dict[bytes, set[str]] = {}
        """Ids of all contracts that each reactor ever had here."""
        self.named: set[bytes] = set()
        """Event types that any active contract ever named."""
        self.by_type: dict[bytes, tuple[Contract, ...]] = {}
        """By the types of events that are owed to them."""
        self.failed: tuple[Contract, ...] = ()
        """Those that take failures, each by itself."""
        self.lists: tuple[Contract, ...] = ()
        """Those that gather what branches give."""
        self.signals = False
        self.fans = False
        """Whether any may give a fan-out."""
        self.compensating = False
        """Whether any may be compensated."""
        self.watched: frozenset[bytes] = frozenset()
        """Types of events that drop timers, those of retired reactors included."""
        self.joined: frozenset[bytes] = frozenset()
        """Types of events that join others."""

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
        self.leading = None
        for contract in contracts:
            self._in_force[contract.reactor] = contract
            self.ever.setdefault(contract.reactor, set()).add(contract.id)
            if contract.renames:
                self._in_force.pop(contract.renames, None)
            if contract.active:
                self.named |= contract.elements
        self._subscribe()

    def restore(self, in_force: Iterable[Contract], ever: dict[bytes, set[str]], named: Iterable[bytes]) -> None:
        """Be as a checkpoint says."""
        self.leading = None
        self._in_force = {contract.reactor: contract for contract in in_force}
        self.ever = ever
        self.named = set(named)
        self._subscribe()

    def _subscribe(self) -> None:
        subscriptions: dict[bytes, list[Contract]] = {}
        active = [c for c in self._in_force.values() if c.active]
        for c in active:
            for t in c.names:
                subscriptions.setdefault(t, []).append(c)
        self.by_type = {t: tuple(sorted(cs, key=lambda c: c.reactor)) for t, cs in subscriptions.items()}
        taking = (c for c in active if c.failures is not None and c.form != "list")
        self.failed = tuple(sorted(taking, key=lambda c: c.reactor))
        self.lists = tuple(sorted((c for c in active if c.form == "list"), key=lambda c: c.reactor))
        self.signals = any(c.signals for c in active)
        self.fans = any(c.fans for c in active)
        self.compensating = any(c.compensates for c in self._in_force.values())
        self.watched = frozenset[bytes]().union(*(c.unless for c in self))
        self.joined = frozenset[bytes]().union(*(c.names for c in active if c.form == "join"))
