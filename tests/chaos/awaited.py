"""What must have come of runs that waited, by the log and the ledger alone: timers, news of children, claimed steps."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from checker.record import Flag, Head, Kind, Raw
from checker.state import Run
from checker.verdict import Verdict

from .crew import Death
from .ledger import Note
from .vigil import Vigil
from .waits import Asleep, EggsLaid


class Fired(NamedTuple):
    """A timer, and how many milliseconds after its time it fired."""

    run: str
    late: int


class BegunAnew(NamedTuple):
    """A step that was begun by one process, and then by another."""

    first: Note
    then: Note


def fired(stage: Vigil) -> list[Fired]:
    """All timers that fired, each time that one did."""
    due: dict[tuple[bytes | None, bytes], int] = {}
    found = []
    for raw, head in _admitted(stage):
        if head.flags & Flag.AFTER and head.kind == Kind.OUTCOME:
            due[raw.key, head.id] = raw.time + head.delay
        elif head.kind == Kind.TIMER:
            found.append(Fired(_id(raw.key), raw.time - due[raw.key, head.causation]))
    return found


def wrong_timers(stage: Vigil) -> Iterator[str]:
    """One line for each timer that fired early, and for each run whose timers did not fire once each."""
    yield from (f"a timer of {each.run} fired {-each.late} ms early" for each in fired(stage) if each.late < 0)
    for run in stage.found.runs:
        start = stage.started.get(_id(run.key))
        if not isinstance(start, Asleep):
            continue
        came = _types(run)
        late = came.pop("Overslept", 0)
        if came != {"Asleep": 1, "Woken": len(start.naps), "Slept": 1} or late > 1:
            yield f"{_id(run.key)} has {dict(came)}, and {late} times what is only to come if it did not wake"
        first = min((event.at for event in run.history if event.type.endswith(b".Woken")), default=run.closed_at)
        if any(event.at > first for event in run.history if event.type.endswith(b".Overslept")):
            yield f"{_id(run.key)} had woken, and overslept after that"


def wrong_children(stage: Vigil) -> Iterator[str]:
    """One line for each child that is not there once, and for each of which its parent was not told once."""
    children: dict[bytes, list[Run]] = {}
    for run in stage.found.runs:
        if run.parent is not None:
            children.setdefault(run.parent.key, []).append(run)
    told = Counter((raw.key, head.causation) for raw, head in _admitted(stage) if head.kind == Kind.CHILD_ENDED)
    for run in stage.found.runs:
        start = stage.started.get(_id(run.key))
        if not isinstance(start, EggsLaid):
            continue
        own = children.pop(run.key, [])
        born = {child.parent.child for child in own if child.parent is not None}
        if len(own) != start.eggs or len(born) != start.eggs:
            yield f"{_id(run.key)} laid {start.eggs} eggs, and has {len(own)} children of {len(born)}"
        if news := {id: n for id in born if (n := told[run.key, id]) != 1}:
            yield f"{_id(run.key)} was told so often of these children: {news}"
        if _types(run) != {"EggsLaid": 1, "Hatched": start.eggs, "Fledged": 1}:
            yield f"{_id(run.key)} has {dict(_types(run))}"
        if (eggs := _eggs(stage, run)) != [*range(start.eggs)]:
            yield f"{_id(run.key)} ended with {eggs}"
    yield from (f"{len(own)} runs are children of {_id(key)}, which is no parent" for key, own in children.items())


def refused_news(stage: Vigil) -> int:
    """How often a parent was told what it had been told."""
    judged = (each for part in stage.found.partitions for each in part.records)
    return sum(h is not None and h.kind == Kind.CHILD_ENDED and v is not Verdict.ADMITTED for _, h, v in judged)


def begun_anew(stage: Vigil) -> list[BegunAnew]:
    """All steps that were begun again, each time."""
    begun: dict[tuple[str, ...], list[Note]] = {}
    for note in stage.notes.all():
        if note.what == "begins" and note.about[0] == "dig":
            begun.setdefault(note.about[:3], []).append(note)
    return [BegunAnew(*two) for notes in begun.values() for two in pairwise(sorted(notes))]


def taken_over(again: Iterable[BegunAnew], deaths: Sequence[Death]) -> list[float]:
    """Seconds from a worker's death until a step that it had at work was begun anew. Of others it is not the reason: a
    worker that stood still, and lost a step to another one, may be killed later.
    """
    return [
        (then.at - death.at) / 1000
        for first, then in again
        for death in deaths
        if death.pid == first.pid and first.at <= death.at <= then.at
    ]


def wrong_claims(stage: Vigil) -> Iterator[str]:
    """One line for each step that was begun again without need: nothing had been done to either worker, or it still
    stood claimed in the log for another."""
    holders = {bytes.fromhex(note.about[0]): note.pid for note in stage.notes.all() if note.what == "claims"}
    said: dict[str, list[tuple[Raw, Head]]] = {}
    for raw, head in _admitted(stage):
        if head.kind in (Kind.CLAIM, Kind.LOST):
            said.setdefault(_id(raw.key), []).append((raw, head))
    for first, then in begun_anew(stage):
        run = then.about[1]
        hurt = (0, first.pid, then.pid)  # one that stood still does not know at once that its share is another's
        harms = [h for h in stage.harms if h.pid in hurt and h.begun <= then.at and h.over >= first.at]
        if not harms:
            yield f"{run} was begun by {first.member}, and again by {then.member}, and nothing was done to them"
        before = [(raw, head) for raw, head in said.get(run, ()) if raw.time <= then.at]
        if not before or before[-1][1].kind == Kind.LOST:
            continue
        raw, claim = before[-1]
        if claim.delay > 0 and raw.time + claim.delay >= then.at and holders.get(claim.extra) != then.pid:
            yield f"{run} was begun by {then.member} while it was claimed for another {raw.time + claim.delay - then.at} ms"


def _admitted(stage: Vigil) -> Iterator[tuple[Raw, Head]]:
    """Records that are what they say they are, in their order in each partition."""
    taken = (Verdict.ADMITTED, Verdict.HELD)
    for part in stage.found.partitions:
        yield from ((raw, head) for raw, head, verdict in part.records if head is not None and verdict in taken)


def _types(run: Run) -> Counter[str]:
    """Its events by the short names of their types; those of news by what they tell."""
    return Counter(event.type.decode().replace(":", ".").rpartition(".")[2] for event in run.history)


def _eggs(stage: Vigil, run: Run) -> object:
    """What the run's result says."""
    for part in stage.found.partitions:
        for event in run.history:
            raw = part.records[event.offset][0] if event.offset < len(part.records) else None
            if raw is not None and raw.key == run.key and event.type.endswith(b".Fledged"):
                return stage.found.catalogue.decode(raw.value)["eggs"]
    return None


def _id(key: bytes | None) -> str:
    return (key or b"").decode()
