"""Decisions that wait for people, as those who are asked see them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import Decision, Run, Verdict
from farandole.schemas import Answer, EventTypes, UndecodableValue, event_info, system_records
from farandole.schemas.envelope import Flag, unpack

from .errors import CommandRefused
from .reading import context_of
from .shown import text

if TYPE_CHECKING:
    from .client import Client

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A question that a run asks.

    Attributes:
        id: its id.
        run_id: the run that asks.
        question: what is asked.
        answers: the classes of the answers to choose from; of a class that this process does not know, its wire name.
        about: what is decided on, as plain values.
        about_type: the name of its class.
        to: who may answer: names of people, or ``role:<name>``; empty: anybody.
        asked: when the log took the question.
        expires: when it is over; None: never.
        otherwise: wire name of what it then becomes.
        quorum: how many people must give the same kind of answer.
        votes: who gave which answer so far, by wire name.
        hash: of question and ``about``; an answer names it, so that it cannot be taken for one to something else.
    """

    id: str
    run_id: str
    question: str
    answers: tuple[type[Answer] | str, ...]
    about: Any
    about_type: str
    to: tuple[str, ...]
    asked: datetime
    expires: datetime | None
    otherwise: str
    quorum: int
    votes: tuple[tuple[str, str], ...]
    hash: bytes

    @property
    def within(self) -> timedelta | None:
        """How long it stays open in all; None: for ever."""
        return None if self.expires is None else self.expires - self.asked

    def is_for(self, who: str) -> bool:
        """Whether it asks somebody, or a role: by name, or because it asks anybody."""
        return not self.to or who in self.to


async def pending_decisions(client: "Client", run_id: str | None = None) -> list[DecisionView]:
    """What waits for people, in one run or in all, the oldest question first.

    Raises:
        StoreError: the log cannot be read.
    """
    store, follower = client.store, client.follower
    partitions = range(store.partitions) if run_id is None else (store.partition_of(run_id.encode()),)
    await follower.up_to_date(partitions)
    views: list[DecisionView] = []
    for partition in partitions:
        runs = follower.fold(partition).runs
        of = runs.values() if run_id is None else [r for r in (runs.get(run_id.encode()),) if r is not None]
        asked = sorted(_pending(of), key=lambda each: each[1].offset)
        for at in range(0, len(asked), _AT_ONCE):
            some = asked[at : at + _AT_ONCE]
            records = await store.fetch(partition, [decision.offset for _, decision in some])
            views += [
                _view(client.scribe.types, run, decision, record)
                for (run, decision), record in zip(some, records, strict=True)
            ]
    return sorted(views, key=lambda view: view.asked)


def chosen(pending: Sequence[DecisionView], decision: "DecisionView | str | None", run_id: str) -> DecisionView:
    """The decision that somebody means.

    Raises:
        CommandRefused: there is none such, or it is not clear which.
    """
    if isinstance(decision, DecisionView):
        return decision
    found = [view for view in pending if decision in (None, view.id)]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        asked = ", ".join(f"{view.id} ({view.question})" for view in found)
        why = f"it waits for {len(found)} decisions; say which: {asked}"
    elif decision is not None:
        why = f"it waits for no decision {decision}; it was made, or its time is over"
    else:
        why = "it waits for no decision"
    raise CommandRefused(f"run '{run_id}': {why}", Verdict.NOT_PENDING)


def _pending(runs: Iterable[Run]) -> list[tuple[Run, Decision]]:
    return [
        (run, decision)
        for run in runs
        if run.pending is not None
        for decision in (run.pending.decisions or {}).values()
    ]


def _view(types: EventTypes, run: Run, decision: Decision, record: Stored) -> DecisionView:
    try:
        content = asked_by(types, record)
    except UndecodableValue as e:
        content = {"question": f"(cannot be read here: {e})", "about": "", "about_type": "", "to": []}
    otherwise = decision.otherwise
    return DecisionView(
        id=text(decision.id),
        run_id=text(run.id),
        question=content["question"],
        answers=tuple(_answer(types, text(name)) for name in decision.answers),
        about=json.loads(content["about"]) if content["about"] else None,
        about_type=content["about_type"],
        to=tuple(content["to"]),
        asked=_time(record.time),
        expires=None if otherwise is None else _time(otherwise.due),
        otherwise="" if otherwise is None else text(otherwise.type),
        quorum=decision.quorum,
        votes=tuple(
            (text(by) if by[:1] != b"\0" else "", text(answer)) for by, answer in (decision.votes or {}).items()
        ),
        hash=decision.hash,
    )


def asked_by(types: EventTypes, record: Stored) -> dict[str, Any]:
    """What a record asks: ``question``, ``about``, ``about_type``, ``to``.

    Raises:
        UndecodableValue: it cannot be read here.
    """
    e = unpack(record.headers)
    value = record.value
    if value is not None and e.flags & Flag.CODED:
        value = types.unseal(value, context_of(types, record, e))
    return system_records.DECISION.decode(value)


def _answer(types: EventTypes, name: str) -> type[Answer] | str:
    event = types.type_of(name)
    return event if event is not None and issubclass(event, Answer) and not event_info(event).abstract else name


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
