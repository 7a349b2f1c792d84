"""Cases that people decide on, two at times; where nobody does, somebody else is asked, and in the end the case is lost."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from farandole.eventstore import Stored
from farandole.projections.fold import Decision, Fold, Run, RunState, Verdict, admission
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.rules import decisions
from farandole.reactors import Ask
from farandole.schemas import Answer, End, Event, Start
from farandole.schemas.envelope import Envelope, Flag, Kind
from simulation.handlers import STAGE, make, play
from simulation.rules import Rule
from simulation.tags import ANSWERS

from .dance import Dance, Watcher

if TYPE_CHECKING:
    from simulation.judge import Judge
    from simulation.play import Play
    from simulation.transcript import Line
    from simulation.world import World

PATIENCE: Final = 8_000
"""Milliseconds after which the last of three keepers has acted."""
PEOPLE: Final = ("", "ann", "ann", "bob")


class CaseBegun(Start):
    tag: int


class Granted(Answer):
    tag: int


class Denied(Answer):
    tag: int


class Postponed(Answer):
    """An answer that nobody offers."""

    tag: int


class Escalated(Event):
    tag: int


class CaseWon(End):
    tag: int


class CaseLost(End):
    tag: int


ANSWERS.update((b"sim.Granted", b"sim.Denied", b"sim.Postponed"))


async def hear(x: CaseBegun) -> Ask[Granted | Denied | Escalated]:
    execution = await play(x)
    stage = STAGE.get()
    make(execution)
    return Ask(
        f"Case {x.tag}?",
        Granted,
        Denied,
        to=["ann"],
        within=stage.random.choice(["1s", "3s", "6s"]),
        otherwise=Escalated(tag=stage.tag()),
        quorum=stage.random.choice([1, 2, 2]),
    )


async def appeal(x: Escalated) -> Ask[Granted | Denied]:
    execution = await play(x)
    stage = STAGE.get()
    make(execution)
    return Ask(f"Case after {x.tag}?", Granted, Denied, within="4s", otherwise=Denied(tag=stage.tag()))


async def win(yes: Granted) -> CaseWon:
    won: CaseWon = make(await play(yes), CaseWon)
    return won


async def lose(no: Denied) -> CaseLost:
    lost: CaseLost = make(await play(no), CaseLost)
    return lost


def asked(play: "Play") -> list[tuple[Run, Decision]]:
    """All that is asked now."""
    return [
        (run, decision)
        for run in play._open()
        if run.pending is not None
        for decision in (run.pending.decisions or {}).values()
    ]


def answer(play: "Play") -> None:
    """Somebody answers, or several at once; at times not what was asked, or something that nobody offers."""
    answer_with(play, lambda _: play.chance.choices((Granted, Denied, Postponed), (5, 5, 1))[0])


def answer_with(play: "Play", pick: Callable[[Decision], type[Any]]) -> None:
    """Somebody answers a question, or several at once, perhaps one about something else.

    Args:
        pick: draws what is answered.
    """
    found = asked(play)
    if not found:
        return
    chance, world = play.chance, play.world
    run, decision = chance.choice(found)
    for _ in range(chance.choice([1, 2, 2, 3])):
        client = play._any_client()
        kind = pick(decision)
        hash = decision.hash if chance.random() < 0.9 else bytes(16)
        by = chance.choice(PEOPLE)
        record = client.scribe.answer(
            run.id, kind(tag=world.stage.tag(), by=by), client.client.not_after(60), decision.id, hash, by, ""
        )
        client.do(client.client.append(run.id, record), f"answer {run.id.decode()} as {by or 'nobody'}")


def wait(play: "Play", run: Run) -> bool:
    """What nobody decides is over by itself."""
    return run.pending is not None and bool(run.pending.decisions)


class Asked:
    """A question, and what came of it."""

    def __init__(self, e: Envelope) -> None:
        self.quorum = int.from_bytes(e.extra[:2], "big")
        self.hash = e.extra[2:18]
        self.answers = e.extra[18:].split(b"\0")
        self.due: int | None = None
        self.votes: list[tuple[bytes, bytes]] = []
        self.over = False


class Clerk(Watcher):
    """Knows what was asked, and who answered."""

    def __init__(self, judge: "Judge") -> None:
        super().__init__(judge)
        self.began: dict[bytes, int] = {}
        self.parts: dict[tuple[bytes, bytes], dict[int, Envelope]] = {}
        self.asked: dict[tuple[bytes, int, bytes], Asked] = {}

    def line(self, number: int, line: "Line") -> Iterator[str]:
        e, key = line.envelope, line.record.key or b""
        if e is None or line.verdict.refused:
            return
        if e.kind == Kind.OUTCOME and e.flags & Flag.ASK:
            self.parts.setdefault((key, e.append), {}).setdefault(e.index, e)
        if line.verdict is Verdict.HELD:
            return
        if e.kind == Kind.START:
            self.began[key] = number
        run = (key, self.began.get(key, -1))
        if e.kind == Kind.OUTCOME:
            parts = self.parts.pop((key, e.append), {})
            last: Asked | None = None
            for _, part in sorted(parts.items()):
                if not part.flags & Flag.AFTER:
                    self.asked[*run, part.id] = last = Asked(part)
                elif last is not None and not last.due:
                    last.due = self.judge.log_time + part.delay
        elif e.kind == Kind.ANSWER or (e.kind == Kind.EXPIRY and e.causation and not e.reactor):
            yield from self._came(run, e, bool(line.admitted))

    def _came(self, run: tuple[bytes, int], e: Envelope, decided: bool) -> Iterator[str]:
        what = f"what {run[0].decode()} asked"
        asked = self.asked.get((*run, e.causation))
        if asked is None:
            yield f"{what} was answered, and nobody asked"
            return
        if asked.over:
            yield f"{what} was decided twice"
        asked.over |= decided
        if e.kind == Kind.EXPIRY:
            if asked.due is None or self.judge.log_time < asked.due:
                yield f"{what} was over before its time"
            return
        by = e.extra[17 : 17 + e.extra[16]]
        if e.extra[:16] != asked.hash:
            yield f"{what} was answered by somebody who saw something else"
        if e.type not in asked.answers:
            yield f"{what} was answered with {e.type.decode()}, which was not offered"
        if by and any(by == other for other, _ in asked.votes):
            yield f"{what} was answered twice by {by.decode()}"
        asked.votes.append((by, e.type))
        if decided is not (sum(type == e.type for _, type in asked.votes) >= asked.quorum):
            yield f"{what} was decided by {len(asked.votes)} of {asked.quorum}"


def late(world: "World") -> Iterator[str]:
    """What should be over by now."""
    for transcript in world.log.transcripts:
        for run in transcript.fold.runs.values():
            decisions_ = run.pending.decisions if run.pending is not None and run.state is RunState.OPEN else None
            for decision in (decisions_ or {}).values():
                if decision.otherwise is not None and world.time() > decision.otherwise.due + PATIENCE:
                    where = f"partition {transcript.fold.partition}: {run.id.decode()}"
                    yield f"{where} asks for longer than it should, and nobody closed it"


# ── without the rules ────────────────────────────────────────────────────────────────────────────────────────────────

_answer = decisions.answer


def _any_subject(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    decision = _named(run, e)
    return _answer(fold, run, record, e if decision is None else e._replace(extra=decision.hash + e.extra[16:]), out)


def _any_number(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A person may answer more than once."""
    return _answer(fold, run, record, e._replace(extra=e.extra[:16] + b"\0"), out)


def _anything(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """An answer need not be offered."""
    decision = _named(run, e)
    if decision is not None and e.type not in decision.answers:
        decision.answers = (*decision.answers, e.type)
    return _answer(fold, run, record, e, out)


def _named(run: Run, e: Envelope) -> Decision | None:
    pending = run.pending
    return None if pending is None or pending.decisions is None else pending.decisions.get(e.causation)


def _instead(where: object, name: str, what: object) -> Any:
    return partial(patch.object, where, name, what)


def _answering(rule: object) -> Any:
    return partial(patch.dict, admission.RUN_RULES, {Kind.ANSWER: rule})


def _switches() -> Sequence[Rule]:
    return (
        Rule("the first answer decides", "15", "was decided twice", [_instead(decisions, "decided", lambda *_: None)]),
        Rule("an answer names what is decided on", "15", "who saw something else", [_answering(_any_subject)]),
        Rule("a person counts once", "15", "was answered twice by", [_answering(_any_number)]),
        Rule("only what was offered", "15", "which was not offered", [_answering(_anything)]),
        Rule("a question is over by its time", "15", "nobody closed it",
             [_instead(decisions, "expired", lambda *_: Verdict.NOT_PENDING)]),
    )  # fmt: skip


_YARD: Final = {"hear": hear, "appeal": appeal, "win": win, "lose": lose}

DECISIONS: Final = Dance(
    "decisions",
    starts={CaseBegun: lambda _: {}},
    known=(Granted, Denied, Postponed, Escalated),
    releases={"yard": (_YARD,)},
    complete={"yard": _YARD},
    actions=((answer, 12),),
    help=wait,
    watchers=(Clerk,),
    stuck=late,
    switches=_switches,
)
