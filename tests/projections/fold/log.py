"""The log of one partition in the making, and its fold: a test says what is appended, and looks at what became of it.

Type names are given without their prefix: ``A`` is ``t.A`` on the wire. Everything not said is taken from here.
"""

from collections.abc import Sequence
from itertools import count
from typing import Any

from farandole.eventstore import Record, Stored
from farandole.projections.fold import Applied, Decision, Fold, Pair, Run, Timer, Verdict
from farandole.schemas import system_records
from farandole.schemas.envelope import Flag, Header, Kind, pack
from farandole.schemas.ids import derived_id, failure_id

FANOUT = int(Flag.FANOUT)
END, FINAL, LAST, NO_REACTOR = int(Flag.END), int(Flag.END | Flag.FINAL_END), int(Flag.LAST), int(Flag.NO_REACTOR)
SOURCE = b"/t/tests"
SOON = 600_000
"""Milliseconds after which a command may not act, unless a test says otherwise."""

_numbers = count(1)


def an_id() -> bytes:
    """An id from outside that no other call returned."""
    return b"x%d" % next(_numbers)


def an_append() -> bytes:
    """The name of an append that no other call returned."""
    return next(_numbers).to_bytes(16, "big")


def wire(name: str) -> bytes:
    return b"t." + name.encode()


def names(*parts: str) -> list[list[str]]:
    """What a reactor takes: ``names("A|B", "C")`` joins an A or a B with a C."""
    return [[f"t.{name}" for name in part.split("|") if name] for part in parts]


def a_contract(reactor: str, *takes: str, form: str = "event", **more: Any) -> dict[str, Any]:
    """The content of a contract: ``a_contract("ship", "Paid", "Packed")`` is a join."""
    parts = names(*(takes or ("",)))
    return {
        "reactor": reactor,
        "service": "tests",
        "takes": parts,
        "forms": [form] * len(parts),
        "gives": [],
        **more,
    }


def a_catcher(reactor: str, *takes: str, of: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """The content of the contract of a reactor of failures."""
    return a_contract(reactor, *takes, form="failed", of=list(of), **more)


def a_head(kind: Kind, **more: Any) -> list[Header]:
    """The headers of a record from outside."""
    fields = {"id": an_id(), "type": b"farandole.Any", "source": SOURCE, "append": an_append(), "sent": 1, **more}
    return pack(kind=kind, **fields)


def an_outcome(
    run: bytes,
    pair: Pair,
    *types: str,
    flags: int = 0,
    append: bytes | None = None,
    branches: Sequence[str] | None = None,
) -> list[Record]:
    """The records of one outcome; ``flags`` are those of its last event. Without types: the outcome of no events.

    Args:
        branches: if it is a fan-out, the types that its branches may begin with.
    """
    fan = 0 if branches is None else FANOUT
    begun = b"\0".join(map(wire, branches or ()))
    common = {
        "kind": Kind.OUTCOME, "source": SOURCE, "append": append or an_append(), "sent": 1, "causation": pair.trigger,
        "reactor": pair.reactor, "generation": pair.generation,
    }  # fmt: skip
    if not types:
        id = derived_id(pair.trigger, pair.reactor, pair.generation, 0)
        return [Record(run, None, pack(id=id, type=b"farandole.Nothing", count=0, flags=fan, branch=begun, **common))]
    return [
        Record(
            run,
            b"never read",
            pack(
                id=derived_id(pair.trigger, pair.reactor, pair.generation, index),
                type=wire(type),
                flags=fan | (flags if index == len(types) - 1 else 0),
                branch=b"" if index else begun,
                index=index,
                count=len(types),
                **common,
            ),
        )
        for index, type in enumerate(types)
    ]


def an_outcome_of(run: bytes, pair: Pair, *parts: dict[str, Any], append: bytes | None = None) -> list[Record]:
    """The records of an outcome of any parts, each given by the fields in which it is not like others."""
    append = append or an_append()
    return [
        Record(
            run,
            b"never read",
            a_head(
                Kind.OUTCOME,
                **{
                    "id": derived_id(pair.trigger, pair.reactor, pair.generation, index),
                    "type": b"farandole.Part",
                    "append": append,
                    "index": index,
                    "count": len(parts),
                    "causation": pair.trigger,
                    "reactor": pair.reactor,
                    "generation": pair.generation,
                    **part,
                },
            ),
        )
        for index, part in enumerate(parts)
    ]


def after(type: str, delay: int = 0, *, flags: int = 0, **more: Any) -> dict[str, Any]:
    """A part of an outcome that sets a timer."""
    return {"type": b"farandole.After", "extra": wire(type), "delay": delay, "flags": flags | Flag.AFTER, **more}


HASH = bytes(range(16))
"""Of what is decided on."""


def asks(*answers: str, quorum: int = 1, hash: bytes = HASH, **more: Any) -> dict[str, Any]:
    """A part of an outcome that asks people."""
    extra = quorum.to_bytes(2, "big") + hash + b"\0".join(map(wire, answers))
    return {"type": b"farandole.Decision", "flags": int(Flag.ASK), "extra": extra, **more}


def otherwise(type: str, delay: int = 0, *, flags: int = 0, **more: Any) -> dict[str, Any]:
    """The part behind it."""
    return after(type, delay, flags=flags | Flag.ASK, **more)


def an_answer(run: bytes, decision: Decision, type: str, by: str = "", *, now: int, **more: Any) -> Record:
    """The record with which somebody answers."""
    extra = decision.hash + bytes((len(by.encode()),)) + by.encode() + b"here"
    fields = {"type": wire(type), "causation": decision.id, "extra": extra, "not_after": now + SOON, **more}
    return Record(run, b"never read", a_head(Kind.ANSWER, **fields))


def an_expiry(run: bytes, decision: Decision, **more: Any) -> Record:
    """The record with which a decision is over that nobody made."""
    assert decision.otherwise is not None
    timer = decision.otherwise
    fields = {"id": b"x" + timer.id, "type": timer.type, "causation": decision.id, **more}
    return Record(run, b"never read", a_head(Kind.EXPIRY, **fields))


def a_timer(run: bytes, timer: Timer, **more: Any) -> Record:
    """The record with which a timer fires."""
    fields = {"id": b"x" + timer.id, "type": timer.type, "causation": timer.id, **more}
    return Record(run, b"never read", a_head(Kind.TIMER, **fields))


def a_failure(run: bytes, pair: Pair, *, last: bool = True, delay: int = 0, attempt: int | None = None) -> Record:
    attempt = pair.attempts + 1 if attempt is None else attempt
    headers = pack(
        kind=Kind.FAILURE, id=failure_id(pair.trigger, pair.reactor, pair.generation, attempt),
        type=b"farandole.Failure", source=SOURCE, append=an_append(), sent=1, attempt=attempt,
        flags=LAST if last else 0, delay=delay, causation=pair.trigger, reactor=pair.reactor,
        generation=pair.generation,
    )  # fmt: skip
    return Record(run, b"never read", headers)


class Log:
    """A log that begins with a genesis, and has settled unless ``settle`` says otherwise.

    Args:
        settings: admission settings of the genesis; its absence is asked for by ``genesis=False``.
    """

    def __init__(self, *, partition: int = 0, partitions: int = 1, genesis: bool = True, **settings: int) -> None:
        self.fold = Fold(partition, partitions)
        self.now = 1_000_000
        """Log time of the next record, in milliseconds."""
        self.stored: list[Stored] = []
        if genesis:
            self.genesis(**{"settle": 0, **settings})
            self.now += 1

    # what is appended

    def put(self, *records: Record) -> Applied:
        """Append records; the effects of the last one."""
        for record in records:
            stored = Stored(self.fold.partition, len(self.stored), self.now, record.key, record.value, record.headers)
            out = self.fold.apply(stored)
            self.stored.append(stored)
        return out

    def genesis(self, log_id: str = "log", version: int = 1, partitions: int = 1, **settings: int) -> Applied:
        content = {"log_id": log_id, "partitions": partitions, "fold_version": version, "settings": settings}
        return self.control(Kind.GENESIS, content)

    def setting(self, name: str, value: int, replaces: int | None = None) -> Applied:
        old = getattr(self.fold.settings, name, 0) if replaces is None else replaces
        return self.control(Kind.SETTING, {"name": name, "value": value, "replaces": old})

    def version(self, version: int) -> Applied:
        return self.control(Kind.VERSION, {"version": version})

    def contracts(self, *contents: dict[str, Any]) -> Applied:
        """Contracts of one append, each replacing the one in force unless it says itself which."""
        return self.control(Kind.CONTRACT, *(self.replacing(content) for content in contents))

    def replacing(self, content: dict[str, Any]) -> dict[str, Any]:
        """The contract, naming the one in force as the one that it replaces."""
        place = content.get("renames") or content["reactor"]
        in_force = self.fold.contracts.get(place.encode())
        return {"replaces": in_force.id if in_force else "", **content}

    def control(self, kind: Kind, *contents: dict[str, Any]) -> Applied:
        return self.put(*control_records(kind, *contents))

    def start(self, run: bytes = b"r", type: str = "A", **more: Any) -> Applied:
        return self.put(Record(run, b"never read", a_head(Kind.START, **{"type": wire(type), **more})))

    def outcome(self, pair: Pair, *types: str, run: bytes = b"r", flags: int = 0) -> Applied:
        return self.put(*an_outcome(run, pair, *types, flags=flags))

    def fan_out(self, pair: Pair, *types: str, begins: Sequence[str] | None = None, run: bytes = b"r") -> Applied:
        """An outcome that is a list.

        Args:
            begins: the types that its branches may begin with, if they are not those that there are.
        """
        return self.put(
            *an_outcome(run, pair, *types, branches=tuple(dict.fromkeys(types)) if begins is None else begins)
        )

    def expire_fan_in(self, fan_out: bytes, reactor: str, run: bytes = b"r") -> Applied:
        head = a_head(Kind.EXPIRY, type=b"farandole.Failure", causation=fan_out, reactor=reactor.encode())
        return self.put(Record(run, b"never read", head))

    def failure(self, pair: Pair, *, run: bytes = b"r", **more: Any) -> Applied:
        return self.put(a_failure(run, pair, **more))

    def command(self, kind: Kind, run: bytes = b"r", **more: Any) -> Applied:
        return self.put(Record(run, b"", a_head(kind, **{"not_after": self.now + SOON, **more})))

    def signal(self, type: str, run: bytes = b"r", **more: Any) -> Applied:
        return self.command(Kind.SIGNAL, run, type=wire(type), **more)

    def cancel(self, run: bytes = b"r") -> Applied:
        return self.command(Kind.CANCEL, run)

    def retry(self, failure: bytes, run: bytes = b"r") -> Applied:
        return self.command(Kind.RETRY, run, causation=failure)

    def owe(
        self, trigger: bytes, reactor: str, offset: int = 0, type: str = "A", run: bytes = b"r", **more: Any
    ) -> Applied:
        extra = offset.to_bytes(8, "big") + wire(type)
        return self.command(
            Kind.OWE, run, **{"causation": trigger, "reactor": reactor.encode(), "extra": extra, **more}
        )

    def expire(self, run: bytes = b"r") -> Applied:
        return self.put(Record(run, b"", a_head(Kind.EXPIRE)))

    # what became of it

    def run(self, run: bytes = b"r") -> Run:
        return self.fold.runs[run]

    def pair(self, reactor: str, run: bytes = b"r") -> Pair:
        """The one pair that the run owes to a reactor."""
        (pair,) = self.pairs(reactor, run)
        return pair

    def pairs(self, reactor: str, run: bytes = b"r") -> list[Pair]:
        return [pair for pair in self.fold.runs[run].owed.values() if pair.reactor == reactor.encode()]

    def owed(self, run: bytes = b"r") -> list[str]:
        """The reactors that the run owes something to, in alphabetical order."""
        return sorted(pair.reactor.decode() for pair in self.fold.runs[run].owed.values())


def control_records(kind: Kind, *contents: dict[str, Any]) -> list[Record]:
    """The records of one append of control records."""
    schema = {
        Kind.GENESIS: system_records.GENESIS,
        Kind.SETTING: system_records.SETTING,
        Kind.VERSION: system_records.VERSION,
        Kind.CONTRACT: system_records.CONTRACT,
        Kind.RELEASED: system_records.RELEASED,
        Kind.POLICY: system_records.POLICY,
    }[kind]
    append = an_append()
    return [
        Record(
            None,
            schema.encode(content),
            a_head(kind, type=schema.name.encode(), append=append, index=index, count=len(contents)),
        )
        for index, content in enumerate(contents)
    ]


def reactors(out: Applied) -> list[str]:
    """The reactors that a record made owe something, in alphabetical order."""
    return sorted(pair.reactor.decode() for _, pair in out.owed)


def admitted(out: Applied) -> bool:
    return out.verdict is Verdict.ADMITTED
