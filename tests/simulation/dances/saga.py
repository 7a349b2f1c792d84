"""A saga: what its steps did is undone when it comes to a bad end or is cancelled; one of them looks at a state."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from pydantic import Field

from farandole.projections import State, on
from farandole.projections.fold import UNDO, Fact, Fold, Pair, Result, Run, Verdict, compensation, owing
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.rules import retries
from farandole.reactors import Failed, GiveUp
from farandole.reactors.history import HistoryIndex
from farandole.schemas import End, Event, Start
from farandole.schemas.envelope import Flag, Kind
from simulation.handlers import STAGE, make, play
from simulation.transcript import Line, Owed

from .dance import Dance, Handler, Reacting, Watcher

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.play import Play
    from simulation.rules import Rule


class SagaBegun(Start):
    tag: int


class Reserved(Event):
    tag: int


class Engaged(Event):
    tag: int


class Noted(Event, wants_reactor=False):
    tag: int


class Audited(Event, wants_reactor=False):
    tag: int


class SagaDone(End):
    tag: int


class SagaUndone(End, compensate=True):
    tag: int


class SagaSoFar(State):
    tags: list[int] = Field(default_factory=list)

    @on
    def came(self, event: SagaBegun | Reserved | Engaged | Noted) -> None:
        self.tags.append(event.tag)


_SEEN: Final = ("SagaBegun", "Reserved", "Engaged", "Noted")

# What undoes a step takes all that the step took and emitted, in that order, so that the judge can compare them.


async def unreserve(begun: SagaBegun, reserved: Reserved) -> None:
    make(await play(begun, reserved))


async def reserve(begun: SagaBegun) -> Reserved:
    return make(await play(begun), Reserved)  # type: ignore[no-any-return]


async def disengage(reserved: Reserved, engaged: Engaged, noted: Noted) -> None:
    make(await play(reserved, engaged, noted))


async def engage(reserved: Reserved) -> tuple[Engaged, Noted]:
    return make(await play(reserved), Engaged, Noted)  # type: ignore[no-any-return]


async def forget_audit(reserved: Reserved, audited: Audited) -> None:
    make(await play(reserved, audited))


async def audit(reserved: Reserved, so_far: SagaSoFar) -> Audited:
    execution = await play(reserved)
    execution.looked_back, execution.looked_for = tuple(so_far.tags), _SEEN
    if STAGE.get().random.random() < 0.4:
        raise GiveUp("this reservation will not do")
    return make(execution, Audited)  # type: ignore[no-any-return]


async def conclude(engaged: Engaged) -> SagaDone | SagaUndone:
    return make(await play(engaged), STAGE.get().random.choice([SagaDone, SagaUndone, SagaUndone]))  # type: ignore[no-any-return]


async def give_up(failed: Failed[Reserved]) -> SagaUndone:
    return make(await play(failed.event), SagaUndone)  # type: ignore[no-any-return]


async def lament(undone: SagaUndone) -> None:
    make(await play(undone))


def begin(play: "Play") -> None:
    """Somebody begins a saga."""
    event, run = SagaBegun(tag=play.world.stage.tag()), f"run-{len(play.runs)}"
    play.runs.append((run, event))
    play._start(run, event)


def call_off(play: "Play") -> None:
    """Somebody cancels a saga."""
    if found := play._handle(SagaBegun):
        client, run = found
        client.do(run.cancel(), f"call {run.id} off")


def edit(play: "Play") -> None:
    """Somebody has a parked step of a saga done with another input."""
    parked = [r.id.decode() for r in play._open() for p in r.owed.values() if p.parked and p.reactor == b"audit"]
    if parked:
        client = play._any_client()
        run = client.run(play.chance.choice(parked))
        event = Reserved(tag=play.world.stage.tag())
        client.do(run.retry(edit=event, reactor="audit"), f"edit what {run.id} audits")


class Undoing(Watcher):
    """What was done is undone, the last first, one at a time, once nothing else is owed."""

    def __init__(self, judge: "Judge") -> None:
        super().__init__(judge)
        self.done: dict[bytes, list[tuple[bytes, bytes]]] = {}
        """Of each open run the outcomes that could be undone, by id and reactor, the oldest first."""
        self.undoing: set[bytes] = set()
        """Runs whose result undoes what they did."""

    def line(self, number: int, line: Line) -> Iterator[str]:
        e, key = line.envelope, line.record.key or b""
        if e is None or line.verdict is not Verdict.ADMITTED:
            return
        if e.kind == Kind.START:
            self.done[key] = []
        for contract in line.contracts:
            if contract.state == "retired_drop":
                self.done = {k: [d for d in done if d[1] != contract.reactor] for k, done in self.done.items()}
        in_force = self.judge.in_force.get(e.reactor)
        if e.kind == Kind.OUTCOME and e.generation != UNDO and in_force is not None and in_force.compensates:
            self.done[key].append((line.admitted[0].id if line.admitted else e.id, e.reactor))
        if line.result is Result.CANCELLED or (line.result is Result.ENDED and _undoes(line.admitted)):
            self.undoing.add(key)
        if e.kind == Kind.EXPIRE:
            self.done[key] = []
        yield from self._owed([owed for owed in line.owed if owed.key[2] == UNDO and e.kind in _MAKE_OWED])
        if e.kind == Kind.FAILURE and e.generation == UNDO and any(owed.key[0] == e.id for owed in line.owed):
            yield f"the failure of what undoes {e.reactor.decode()} was caught"
        for closed in line.closed:
            left = self.done.pop(closed, [])
            if closed in self.undoing and left:
                yield f"{closed.decode()} was closed, and {', '.join(r.decode() for _, r in left)} not undone"
            self.undoing.discard(closed)

    def _owed(self, undone: "Sequence[Owed]") -> Iterator[str]:
        for owed in undone:
            trigger, reactor, _ = owed.key
            done, story = self.done.get(owed.run, []), self.judge.runs.get(owed.run)
            if (trigger, reactor) not in done:
                continue  # it is due once more
            if done[-1] != (trigger, reactor):
                yield f"{reactor.decode()} was undone before what came later"
            done.remove((trigger, reactor))
            if owed.run not in self.undoing:
                yield f"{reactor.decode()} was undone, and nobody asked for it"
            others = [key for key, debt in story.debts.items() if debt.open and key != owed.key] if story else []
            if others:
                yield f"{reactor.decode()} was undone beside {', '.join(key[1].decode() for key in others)}"


_MAKE_OWED: Final = frozenset(
    (Kind.START, Kind.OUTCOME, Kind.FAILURE, Kind.SIGNAL, Kind.CANCEL, Kind.CONTRACT, Kind.EXPIRE)
)


def _undoes(admitted: Sequence[Fact]) -> bool:
    end = next((fact for fact in admitted if fact.flags & Flag.END), None)
    return end is not None and bool(end.flags & Flag.COMPENSATE)


_MILL: Final[dict[str, Handler | Reacting]] = {
    "reserve": Reacting(reserve, {"compensate": unreserve}),
    "give_up": Reacting(give_up, {"of": "engage"}),
}
_SHOP: Final[dict[str, Handler | Reacting]] = {
    "engage": Reacting(engage, {"compensate": disengage}),
    "lament": lament,
}
_YARD: Final[dict[str, Handler | Reacting]] = {
    "audit": Reacting(audit, {"compensate": forget_audit}),
    "conclude": conclude,
}

# ── without its rules ────────────────────────────────────────────────────────────────────────────────────────────────


def _first_in_first_out(fold: Fold, run: Run, out: Applied) -> bool:
    if run.pending is not None and run.pending.stack:
        run.pending.stack.append(run.pending.stack.pop(0))
    return _unwind(fold, run, out)


def _all_at_once(fold: Fold, run: Run, out: Applied) -> bool:
    done = False
    while _unwind(fold, run, out):
        done = True
    return done


def _caught(fold: Fold, run: Run, failed: Pair, failure: Fact, out: Applied) -> bool:
    with patch.object(Pair, "undoes", False):
        return _owe_failure(fold, run, failed, failure, out)


def _same_generation(fold: Fold, run: Run, pair: Pair, record: Any, e: Any, out: Applied) -> Verdict:
    verdict = _edited(fold, run, pair, record, e, out)
    if verdict is Verdict.ADMITTED:
        _, new = out.owed[-1]
        del run.owed[new.key]
        new.key, new.generation = pair.key, pair.generation
        run.owed[new.key] = new
    return verdict


_unwind, _owe_failure, _edited = compensation.unwind, owing.owe_failure, retries.edited


def _so_far_is_now(index: HistoryIndex, run_id: bytes, upto: Any) -> int | None:
    events, (_, filed) = index._runs.get(run_id), index._filed.get(run_id, (0, 0))
    return None if events is None and not filed else filed + len(events or ())


def _switches() -> "Sequence[Rule]":
    from simulation.rules import Rule

    def instead(where: object, name: str, what: object) -> Any:
        return partial(patch.object, where, name, what)

    return [
        Rule("the last step is undone first", "18", "was undone before what came later",
             [instead(compensation, "unwind", _first_in_first_out)]),
        Rule("one step is undone at a time", "18", "was undone beside", [instead(compensation, "unwind", _all_at_once)]),
        Rule("a cancel undoes", "18", "not undone", [instead(compensation, "begin", lambda run: None)]),
        Rule("a failed compensation parks", "18", "was caught", [instead(owing, "owe_failure", _caught)]),
        Rule("an edited step has a generation of its own", "18", "was dropped, and yet done",
             [instead(retries, "edited", _same_generation)]),
        Rule("a state up to the trigger", "reactors", "looked back and saw", [instead(HistoryIndex, "count", _so_far_is_now)]),
    ]  # fmt: skip


SAGA: Final = Dance(
    "saga",
    starts={SagaBegun: lambda _: {}},
    known=(Reserved, Engaged, Noted, Audited),
    releases={
        "mill": (_MILL,),
        # the second does not know how to undo what the first did
        "shop": (_SHOP, {**_SHOP, "engage": engage}, _SHOP),
        "yard": (_YARD,),
    },
    complete={"mill": _MILL, "shop": _SHOP, "yard": _YARD},
    actions=((begin, 8), (call_off, 2), (edit, 14)),
    watchers=(Undoing,),
    switches=_switches,
)
