"""What steps did outside, and how often they were attempted: by the log, the bank's ledger and the workers' notes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from checker import Examination
from checker.ids import partition_of, step_key
from checker.record import Kind
from farandole.reactors import Choreography, Retry

from .ledger import Note

POISON_ATTEMPTS: Final = 3
"""Of the reactor that never works."""


def policies_of(choreographies: Iterable[Choreography]) -> dict[str, int]:
    """By reactor, the attempts that its policy allows."""
    return {
        reactor.name: max(policy.attempts for policy in _all(reactor.options.retry))
        for reactor in chain.from_iterable(each.reactors for each in choreographies)
    }


def _all(policies: Retry | Sequence[Retry]) -> Sequence[Retry]:
    return (policies,) if isinstance(policies, Retry) else policies


def too_many_attempts(found: Examination, notes: Iterable[Note], policies: Mapping[str, int]) -> Iterator[str]:
    """One line for each step that the log says was attempted more often than its reactor's policy has it, and for each
    of which a worker noted so.

    An attempt that was begun again because its worker died is the same attempt.
    """
    failed: Counter[tuple[str, str, str]] = Counter()
    for part in found.partitions:
        for raw, head, verdict in part.records:
            if head is not None and head.kind == Kind.FAILURE and verdict < 16:
                failed[head.reactor.decode(), (raw.key or b"").decode(), head.causation.decode()] += 1
    begun: dict[tuple[str, str, str], set[int]] = {}
    for note in notes:
        if note.what == "begins":
            reactor, run, trigger, attempt = note.about
            begun.setdefault((reactor, run, trigger), set()).add(int(attempt))
    for what, many in (("failed", failed), ("was begun", {step: max(each) for step, each in begun.items()})):
        for (reactor, run, trigger), times in many.items():
            if times > policies[reactor]:
                yield f"{reactor} of {run} at {trigger} {what} {times} times, and {policies[reactor]} are allowed"


def seconds_of(found: Examination) -> dict[str, float]:
    """By run, the seconds from its start to its last event, by the log's times."""
    times = [{raw.offset: raw.time for raw, _, _ in part.records} for part in found.partitions]
    took = {}
    for run in found.runs:
        mine = times[partition_of(run.key, len(times))]
        took[run.key.decode()] = (mine[run.history[-1].at] - mine[run.history[0].at]) / 1000
    return took


def owed_longest(found: Examination) -> list[str]:
    """Of the run that came to its end last: each record, with seconds since its start; of claims for how long, and by whom."""
    ended = {raw.key: raw.time for part in found.partitions for raw, head, _ in part.records if head is not None}
    run = max(found.runs, key=lambda each: ended[each.key])
    mine = [(raw, head) for part in found.partitions for raw, head, _ in part.records if raw.key == run.key and head]
    return [
        f"{run.key.decode()} {(raw.time - mine[0][0].time) / 1000:.1f} s: {Kind(head.kind).name.lower()}"
        f" {(head.reactor or head.type).decode()}"
        + (f" for {head.delay / 1000:g} s by {head.extra.hex()[:8]}" if head.kind == Kind.CLAIM else "")
        for raw, head in mine
    ]


def charged_too_often(found: Examination, notes: Iterable[Note], ledger: Path) -> Iterator[str]:
    """One line for each order that was charged more often than the handler that charges was called for it."""
    called = Counter(note.about[1] for note in notes if note.what == "begins" and note.about[0] == "take_payment")
    charged = Counter(ledger.read_text().split())
    for run in found.runs:
        times = charged[step_key(run.key, run.start_id, run.start_id, b"take_payment")]
        if times > called[run.key.decode()]:
            yield f"{run.key.decode()} was charged {times} times in {called[run.key.decode()]} calls"
