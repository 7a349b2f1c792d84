"""Timers, decisions and children, as rows. The fold keeps those only that are pending: what is over with a record is told
by what was there before it.
"""

from typing import Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import START_OF_CHILD, Applied, Decision, Fold, Result, Run, Timer
from farandole.schemas.envelope import Envelope, Kind
from farandole.schemas.kinship import CANCELLED, OUT_OF_TIME, News

from .batch import Batch
from .open_runs import names
from .payloads import Payload, as_json, bounded, plain, text

_HASH: Final = 16


class Waits:
    """Timers, decisions and children that were pending."""

    __slots__ = ("children", "decisions", "timers")

    def __init__(self, run: Run) -> None:
        pending = run.pend()
        self.timers: dict[bytes, Timer] = dict(pending.timers or ())
        self.decisions: dict[bytes, Decision] = dict(pending.decisions or ())
        self.children: dict[bytes, Any] = dict(pending.children or ())

    def ended(self, run: Run, e: Envelope, out: Applied, fold: Fold, into: Batch) -> None:
        """Tell what is pending no longer, and who voted."""
        pending, here = run.pend(), (out.offset, fold.log_time)
        lapsed = "lapsed" if out.result is not Result.NONE else "dropped"
        for id, timer in self.timers.items():
            if not timer.decision and id not in (pending.timers or ()):
                state = "fired" if e.kind == Kind.TIMER and e.causation == id else lapsed
                into.timers.update((fold.partition, timer.offset), (state, *here))
        for id, decision in self.decisions.items():
            over = id not in (pending.decisions or ())
            asked = e.causation == id and e.kind in (Kind.ANSWER, Kind.EXPIRY)
            if not over and not asked:
                continue
            answered = asked and e.kind == Kind.ANSWER
            state = "open" if not over else "answered" if answered else "expired" if asked else "lapsed"
            values = (
                state, None, None, None, _votes(decision), names(e.type) if over and asked else None,
                *(here if over else (None, None)),
            )  # fmt: skip
            into.decisions.update((fold.partition, decision.offset), values)
        for id, child in self.children.items():
            if id not in (pending.children or ()):
                state = _news(e) if e.causation == id else "parted"
                into.children.update((fold.partition, child.offset), (state, *here))


def waits_of(run: Run) -> Waits | None:
    """What a run waits for; None if nothing."""
    pending = run.pending
    if pending is None or not (pending.timers or pending.decisions or pending.children):
        return None
    return Waits(run)


def question(fold: Fold, run: Run, record: Stored, e: Envelope, out: Applied, payload: Payload, into: Batch) -> None:
    """A record that asks people. It is asked once its outcome is whole; what it asks only this record has."""
    said = payload.fields or {}
    key = (record.partition, record.offset)
    question, about, of = (plain(str(said.get(name) or "")) or None for name in ("question", "about", "about_type"))
    into.decisions.insert(
        key,
        [
            *key, run.offset, text(e.id), question, about, of, as_json(said.get("to", [])), as_json(said.get("answers", [])),
            max(int.from_bytes(e.extra[:2], "big"), 1), e.extra[2 : 2 + _HASH].hex(), "unasked", None, None, None, "[]", None,
            None, None,
        ],
    )  # fmt: skip
    for decision in out.more.asked if out.more is not None else ():
        if decision.offset == record.offset:
            _asked(fold, decision, into)


def begun(fold: Fold, run: Run, record: Stored, out: Applied, into: Batch) -> None:
    """What the run waits for since this record."""
    more, since = out.more, record.offset
    if more is None:
        return
    earlier = []
    for decision in more.asked:
        if decision.offset != since:
            _asked(fold, decision, into)
            earlier.append(decision.offset)
    for each, due in more.armed:
        if isinstance(due, Timer) and each is run:
            earlier.append(due.offset)
            if not due.decision:
                key = (fold.partition, due.offset)
                row = [
                    *key,
                    run.offset,
                    text(due.id),
                    names(due.type),
                    fold.log_time,
                    bounded(due.due),
                    "open",
                    None,
                    None,
                ]
                into.timers.insert(key, row)
    for sender, message in more.messages:
        if message.n == START_OF_CHILD and message.kind == Kind.START and sender == run.id:
            earlier.append(message.offset)
            key = (fold.partition, message.offset)
            waited_for = run.pending is not None and message.id in (run.pending.children or ())
            state = "open" if waited_for else "parted" if out.result else "detached"
            names_ = (text(message.id), text(message.key), text(message.to), names(message.name))
            into.children.insert(key, [*key, run.offset, *names_, fold.log_time, state, None, None])
    for offset in earlier:
        if offset != since:
            into.records.update((fold.partition, offset), (since, None))


def _asked(fold: Fold, decision: Decision, into: Batch) -> None:
    otherwise = decision.otherwise
    expires, type = (None, None) if otherwise is None else (bounded(otherwise.due), names(otherwise.type))
    values = ("open", fold.log_time, expires, type, None, None, None, None)
    into.decisions.update((fold.partition, decision.offset), values)


def _votes(decision: Decision) -> str:
    votes = (decision.votes or {}).items()
    return as_json([{"by": text(by) if by[:1] != b"\0" else "", "answer": text(answer)} for by, answer in votes])


def _news(e: Envelope) -> str:
    """What became of a child, as the news of it say."""
    if e.kind == Kind.CHILD_ENDED:
        return "ended"
    if e.kind == Kind.DELIVERED:
        return "refused"
    told = News.read(e.extra)
    if told is not None and told.flags & CANCELLED:
        return "cancelled"
    return "expired" if told is not None and told.flags & OUT_OF_TIME else "failed"
