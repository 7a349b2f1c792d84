"""One run from its start to now: what happened when, who did it, and how long it worked and waited for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farandole.projections.fold import Verdict
from farandole.reactors.client import Client
from farandole.reactors.view import Entry, View
from farandole.schemas.envelope import Kind

from .told import LogTeller, Told


@dataclass(frozen=True, slots=True)
class Moment:
    """A record of a run, with the time that its step took. Times are in seconds.

    Attributes:
        told: the record.
        after: since the run's start.
        worked: from when the attempt could begin until its record was in the log; queueing is part of it. None for what
            is no attempt.
        waited: before that, for the attempt to be due.
    """

    told: Told
    after: float
    worked: float | None = None
    waited: float = 0.0

    def json(self) -> dict[str, Any]:
        more: dict[str, Any] = {"after": round(self.after, 3)}
        if self.worked is not None:
            more |= {"worked": round(self.worked, 3), "waited": round(self.waited, 3)}
        return self.told.json() | more


async def timeline(client: Client, view: View) -> list[Moment]:
    """Every record of a run, refused ones included, in the order of the log."""
    entries = list(view.entries)
    if not entries:
        return []
    verdicts = verdicts_of(entries)
    told = await LogTeller(client).tell_at(view.partition, verdicts, verdicts)
    return moments(told)


def moments(told: Sequence[Told]) -> list[Moment]:
    """Records of one run with what can be said of their times."""
    begin = next((t.record.time for t in told if t.admitted), told[0].record.time if told else 0)
    ready: dict[tuple[bytes, bytes, bytes], int] = {}
    waits: dict[tuple[bytes, bytes, bytes], int] = {}
    parked: dict[bytes, tuple[bytes, bytes, bytes]] = {}
    known: dict[bytes, int] = {}
    found = []
    for t in told:
        e, now = t.envelope, t.record.time
        worked, waited = None, 0.0
        if e is not None and t.admitted:
            pair = (e.causation, e.reactor, e.generation)
            if e.kind in (Kind.OUTCOME, Kind.FAILURE):
                since = ready.get(pair, known.get(e.generation or e.causation, now))
                worked, waited = max(now - since, 0) / 1000, waits.get(pair, 0) / 1000
            if e.kind == Kind.FAILURE:
                ready[pair], waits[pair] = now + e.delay, e.delay
                parked[e.id] = pair
            elif e.kind == Kind.RETRY and e.causation in parked:
                again = parked[e.causation]
                waits[again], ready[again] = now - ready.get(again, now), now
            known[e.id] = now
        found.append(Moment(t, (now - begin) / 1000, worked, waited))
    return found


def verdicts_of(entries: Sequence[Entry]) -> dict[int, Verdict]:
    """The verdict of each record; what was held until its append was whole counts as admitted with it."""
    whole = {_append(e) for e in entries if e.verdict is Verdict.ADMITTED}
    return {
        e.offset: Verdict.ADMITTED if e.verdict is Verdict.HELD and _append(e) in whole else e.verdict for e in entries
    }


def _append(entry: Entry) -> tuple[bytes, int]:
    """What the records of one append have in common."""
    return entry.envelope.append, entry.envelope.count


def totals(moments: Sequence[Moment]) -> Mapping[str, float]:
    """Seconds in steps, and seconds between attempts; of steps side by side, the sum."""
    return {
        "worked": round(sum(m.worked or 0 for m in moments), 3),
        "waited": round(sum(m.waited for m in moments), 3),
    }
