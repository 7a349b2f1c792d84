"""A family: runs that start others, wait for what becomes of them, cancel them, and let some go."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.eventstore import partition_of
from farandole.projections.fold import Fact, Parent, Run, Verdict
from farandole.projections.fold import children as bearing
from farandole.projections.fold.pending import Child as PendingChild
from farandole.projections.fold.pending import Pending
from farandole.projections.fold.rules import children as rules
from farandole.projections.fold.taking import take
from farandole.reactors import Child, ChildDone, ChildFailed, GiveUp
from farandole.reactors import Run as History
from farandole.reactors.keeping import messages
from farandole.schemas import End, Event, Start
from farandole.schemas.envelope import Envelope, Kind
from farandole.schemas.kinship import News, Sender
from simulation.handlers import STAGE, look_back, make, play
from simulation.rules import Rule, Switch

from .dance import Dance, Handler, Reacting, Watcher

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.play import Play
    from simulation.transcript import Line
    from simulation.world import World


class FamilyBegun(Start):
    tag: int


class ErrandBegun(Start):
    tag: int


class SentOut(Event):
    tag: int
    waits: int


class ErrandRun(Event):
    tag: int


class ErrandDone(End):
    tag: int


class HeardOf(Event):
    tag: int


class FamilyDone(End):
    tag: int


def _child(**more: Any) -> Child[ErrandBegun]:
    return Child(ErrandBegun(tag=STAGE.get().tag()), **more)


async def send_out(begun: FamilyBegun) -> tuple[Child[ErrandBegun], SentOut, Child[ErrandBegun]]:
    execution = await play(begun)
    detach = STAGE.get().random.random() < 0.2
    sent = make(execution, SentOut, waits=1 if detach else 2)
    return _child(), sent, _child(detach=detach)


async def come_home(sent: SentOut) -> FamilyDone | None:
    """At times all is over while the children are on their way."""
    execution = await play(sent)
    return make(execution, *([FamilyDone] if STAGE.get().random.random() < 0.35 else []))


async def look_on(begun: ErrandBegun) -> None:
    """One more step that may be parked, while the errand goes on."""
    execution = await play(begun)
    stage = STAGE.get()
    if stage.fail and stage.random.random() < 0.4:
        raise GiveUp("looked away")
    make(execution)


async def run_errand(begun: ErrandBegun) -> ErrandRun | Child[ErrandBegun]:
    """Some are handed on to a child."""
    execution = await play(begun)
    if STAGE.get().random.random() < 0.4:
        make(execution)
        execution.gives = ()
        return _child()
    return make(execution, ErrandRun)


async def be_done(ran: ErrandRun) -> ErrandDone:
    return make(await play(ran), ErrandDone)


async def hear_of(done: ChildDone[ErrandDone]) -> HeardOf:
    return make(await play(done.end), HeardOf)


async def miss(failed: ChildFailed[ErrandBegun]) -> HeardOf:
    return make(await play(failed.start), HeardOf)


async def gather(heard: HeardOf, run: History[FamilyBegun]) -> FamilyDone | ErrandDone | None:
    execution = await play(heard)
    if isinstance(run.start, ErrandBegun):
        return make(execution, ErrandDone)
    found = await look_back(execution, run, SentOut, HeardOf)
    waits = next((event.waits for event in found if isinstance(event, SentOut)), 3)
    return make(execution, *([FamilyDone] if len(found) > waits else []))


def begin_family(play: "Play") -> None:
    """One more family, for messages between partitions go wrong seldom."""
    run, begun = f"family-{len(play.runs)}", FamilyBegun(tag=play.world.stage.tag())
    play.runs.append((run, begun))
    client = play._any_client()
    client.do(client.client.start(begun, run_id=run), f"start {run}")


def cancel_child(play: "Play") -> None:
    """Somebody cancels a run that another one has started."""
    if found := [run for run in play._open() if run.pending is not None and run.pending.parent is not None]:
        handle = play._any_client().run(play.chance.choice(found).id.decode())
        play._any_client().do(handle.cancel(), f"cancel child {handle.id}")


def wait_for_children(play: "Play", run: Run) -> bool:
    """A run that waits for children, or has something to tell, goes on by itself."""
    return run.pending is not None and bool(run.pending.children or run.pending.messages)


def stuck(world: "World") -> Iterator[str]:
    """What is owed to other partitions, and children that are waited for in vain."""
    folds = [transcript.fold for transcript in world.log.transcripts]
    for fold in folds:
        for run in fold.runs.values():
            pending = run.pending
            if pending is None:
                continue
            for message in (pending.messages or {}).values():
                yield f"{run.id.decode()} owes {Kind(message.kind).name} to {message.key.decode()}, and nobody brings it"
            for child in (pending.children or {}).values():
                there = folds[partition_of(child.key, len(folds))].runs
                if child.key not in there and (child.id, 0) not in (pending.messages or {}):
                    yield f"{run.id.decode()} waits for {child.key.decode()}, which is not there"


class Family(Watcher):
    """What parents and children are told."""

    def __init__(self, judge: "Judge") -> None:
        super().__init__(judge)
        self._heard: set[tuple[bytes, int, bytes]] = set()
        self._came: dict[tuple[bytes, bytes], int] = {}
        self._cancelled: dict[tuple[bytes, bytes], int] = {}

    def line(self, number: int, line: "Line") -> Iterator[str]:
        e, key = line.envelope, line.record.key or b""
        if e is None or (line.record.partition, line.record.offset) in self.judge.world.garbage or not e.causation:
            return
        if e.kind in (Kind.CHILD_ENDED, Kind.CHILD_FAILED):
            yield from self._in_order(key, e)
        if e.kind in (Kind.CHILD_ENDED, Kind.CHILD_FAILED, Kind.DELIVERED):
            yield from self._once(key, e, line)
        elif e.kind == Kind.CANCEL and line.verdict in (Verdict.ADMITTED, Verdict.NO_RUN):
            self._cancelled.setdefault((key, e.causation), line.log_time)
        elif e.kind == Kind.START and line.verdict is Verdict.ADMITTED:
            yield from self._begun(key, e, line)

    def _in_order(self, key: bytes, e: Envelope) -> Iterator[str]:
        told = News.read(e.extra)
        if told is None:
            return
        newest = self._came.get((key, e.causation), 1)
        if told.n > newest + 1:
            yield f"news {told.n} of {told.run_id.decode()} came before news {newest + 1}"
        self._came[key, e.causation] = max(newest, told.n)

    def _once(self, key: bytes, e: Envelope, line: "Line") -> Iterator[str]:
        story = self.judge.runs.get(key)
        if line.verdict is not Verdict.ADMITTED or not line.admitted or story is None:
            return
        place = (key, story.began, e.causation)
        if place in self._heard:
            yield f"{key.decode()} was told twice of {e.causation.decode()}"
        self._heard.add(place)

    def _begun(self, key: bytes, e: Envelope, line: "Line") -> Iterator[str]:
        sender = Sender.read(e.extra)
        if sender is not None and sender.depth > self.judge.settings.depth:
            yield f"{key.decode()} lies too deep"
        cancelled = self._cancelled.get((key, e.id))
        if cancelled is not None and line.log_time <= cancelled + self.judge.settings.dedup_window:
            yield f"{key.decode()} began after its parent had cancelled it"


# ── without a rule ───────────────────────────────────────────────────────────────────────────────────────────────────


def _told_again(fold: Any, run: Run, child: PendingChild, fact: Fact, out: Any) -> None:
    """A child that was heard of is still pending."""
    if run.pending is not None and run.pending.messages is not None:
        run.pending.messages.pop((child.id, 0), None)
    take(fold, run, fact, out)
    run.touched = fold.log_time


class _Shallow(int):
    """A depth that is never too much."""

    def __gt__(self, other: int) -> bool:
        return False


def _never_too_deep(e: Envelope) -> Parent | None:
    parent = _parent_of(e)
    return None if parent is None else parent._replace(depth=_Shallow(parent.depth))


_parent_of = bearing.parent_of


def _switches() -> list[Rule]:
    def instead(where: object, name: str, what: object) -> Switch:
        return partial(patch.object, where, name, what)

    return [
        Rule("messages are owed by the sender", "16", "and nobody brings it",
             [instead(messages, "_AGAIN", 1 << 40), instead(messages.Messages, "restored", lambda *_: None)]),
        Rule("of a child one thing is heard", "16", "was told twice", [instead(rules, "_hear", _told_again)]),
        Rule("a run that owes a message stays open", "16", "which is not there",
             [instead(Pending, "holds", lambda self: False)]),
        Rule("a cancel before the start", "16", "after its parent had cancelled it",
             [instead(rules, "unknown", lambda *_: Verdict.NO_RUN)]),
        Rule("runs lie only so deep", "16", "lies too deep", [instead(bearing, "parent_of", _never_too_deep)]),
        Rule("messages to one run go in order", "16", "came before news",
             [instead(messages, "_goes_first", lambda *_: True)]),
    ]  # fmt: skip


_MILL: Final[Mapping[str, Handler | Reacting]] = {"send_out": send_out, "be_done": be_done}
_SHOP: Final[Mapping[str, Handler | Reacting]] = {"run_errand": run_errand, "hear_of": hear_of, "come_home": come_home}
_YARD: Final[Mapping[str, Handler | Reacting]] = {
    "miss": miss,
    "gather": gather,
    "look_on": look_on,
}

CHILDREN: Final = Dance(
    "children",
    starts={FamilyBegun: lambda _: {}},
    known=(ErrandBegun, ErrandDone),
    releases={
        "mill": (_MILL,),
        "shop": (_SHOP,),
        "yard": (_YARD, {name: handler for name, handler in _YARD.items() if name != "miss"}),
    },
    complete={"mill": _MILL, "shop": _SHOP, "yard": _YARD},
    actions=((begin_family, 8), (cancel_child, 2)),
    help=wait_for_children,
    watchers=(Family,),
    stuck=stuck,
    switches=_switches,
)
